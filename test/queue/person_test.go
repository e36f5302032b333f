package queue

import (
	"crypto/sha256"
	"testing"

	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestSolveFindsLeadingZeroBits(t *testing.T) {
	for _, bits := range []int{0, 3, 8, 13} {
		c := client.QueueChallenge{Challenge: "AAABkx2n", Bits: bits}
		sum := sha256.Sum256([]byte(c.Challenge + ":" + Solve(c)))
		if got := leadingZeros(sum); got < bits {
			t.Errorf("the hash begins with %d zero bits, want %d", got, bits)
		}
	}
}
