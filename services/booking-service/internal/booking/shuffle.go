package booking

import (
	"crypto/sha256"
	"encoding/binary"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// shuffleRounds is enough for millions of people: each round moves every
// index with a probability of one half.
const shuffleRounds = 90

// permutation returns the new index of each index below n: the swap-or-not
// shuffle (Hoang, Morris and Rogaway, CRYPTO 2012), in the encoding that
// openapi.yaml describes at GET /events/{id}/queue. Anybody can compute a
// single index without the others.
func permutation(seed []byte, lane logpb.Lane, n uint32) []uint32 {
	to := make([]uint32, n)
	for i := range to {
		to[i] = uint32(i)
	}
	if n == 0 {
		return to
	}
	prefix := append(append([]byte{}, seed...), byte(lane), 0)
	bits := make([]byte, 0, n/8+sha256.Size)
	for round := range byte(shuffleRounds) {
		prefix[len(prefix)-1] = round
		first := sha256.Sum256(prefix)
		pivot := uint32(binary.LittleEndian.Uint64(first[:8]) % uint64(n))
		bits = bits[:0]
		for window := uint32(0); window <= (n-1)/256; window++ {
			sum := sha256.Sum256(binary.LittleEndian.AppendUint32(prefix, window))
			bits = append(bits, sum[:]...)
		}
		for i, index := range to {
			flip := uint32((uint64(pivot) + uint64(n-index)) % uint64(n))
			position := max(index, flip)
			if bits[position/8]>>(position%8)&1 == 1 {
				to[i] = flip
			}
		}
	}
	return to
}
