package check

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// Numbers of the lanes in the draw, in the order in which they are served.
var laneNumbers = map[string]byte{"returning": 0, "priority": 1, "general": 2}

// Rounds of the shuffle.
const shuffleRounds = 90

// Rank returns the rank of a number in a lane: that of the draw for numbers up
// to drawn, else the number itself. The seed is in hexadecimal.
func Rank(seed, lane string, drawn, number int) (int, error) {
	if number > drawn {
		return number, nil
	}
	secret, err := hex.DecodeString(seed)
	if err != nil {
		return 0, fmt.Errorf("decode seed: %w", err)
	}
	return shuffle(secret, laneNumbers[lane], uint64(drawn), uint64(number-1)) + 1, nil
}

// shuffle returns where the swap-or-not shuffle of the lane puts index of n, as
// the description of GET /events/{id}/queue defines it.
func shuffle(seed []byte, lane byte, n, index uint64) int {
	for round := range byte(shuffleRounds) {
		prefix := slices.Concat(seed, []byte{lane, round})
		sum := sha256.Sum256(prefix)
		pivot := binary.LittleEndian.Uint64(sum[:8]) % n
		flip := (pivot + n - index) % n
		position := max(index, flip)
		bits := sha256.Sum256(binary.LittleEndian.AppendUint32(prefix, uint32(position/256)))
		if bits[position%256/8]>>(position%8)&1 == 1 {
			index = flip
		}
	}
	return int(index)
}

// Lane returns the state of a lane in a frame.
func Lane(q *client.Queue, name string) client.LaneState {
	switch name {
	case "returning":
		return q.Lanes.Returning
	case "priority":
		return q.Lanes.Priority
	}
	return q.Lanes.General
}
