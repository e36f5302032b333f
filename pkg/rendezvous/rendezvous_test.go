package rendezvous

import (
	"strconv"
	"testing"

	"github.com/google/uuid"
)

func owner(key uint64, instances []string) string {
	best, score := "", uint64(0)
	for _, i := range instances {
		if s := Score(key, Hash(i)); best == "" || s > score {
			best, score = i, s
		}
	}
	return best
}

func TestWorkIsSharedEvenlyAndOnlyThatOfALostInstanceMoves(t *testing.T) {
	instances := []string{"booking-service-1", "booking-service-2", "booking-service-3"}
	const blocks = 3000
	event := uuid.MustParse("0190b0a0-0000-7000-8000-000000000001")
	owned := map[string]int{}
	for b := range blocks {
		key := Block(event, b+1)
		before, after := owner(key, instances), owner(key, instances[:2])
		owned[before]++
		if before != instances[2] && before != after {
			t.Fatalf("block %d moved from %s, which is still there, to %s", b+1, before, after)
		}
	}
	for _, i := range instances {
		if owned[i] < blocks*28/100 || owned[i] > blocks*39/100 {
			t.Errorf("%s owns %d of %d blocks", i, owned[i], blocks)
		}
	}
}

func TestBlocksOfOneEventDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for e := range 10 {
		event := uuid.NewSHA1(uuid.Nil, []byte(strconv.Itoa(e)))
		for b := range 100 {
			key, name := Block(event, b), event.String()+"/"+strconv.Itoa(b)
			if other, taken := seen[key]; taken {
				t.Fatalf("%s and %s have one key", name, other)
			}
			seen[key] = name
		}
	}
}
