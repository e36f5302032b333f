package booking

import (
	"fmt"
	"strconv"
	"strings"
)

// BlockSize is the maximum number of seats in a block.
const BlockSize = 2000

// SeatID identifies a seat of an event: "<block>-<index>".
type SeatID struct {
	// Block counts from 1, Index from 0.
	Block, Index int
}

func (s SeatID) String() string { return strconv.Itoa(s.Block) + "-" + strconv.Itoa(s.Index) }

// MarshalText writes the id as "<block>-<index>".
func (s SeatID) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads "<block>-<index>".
func (s *SeatID) UnmarshalText(text []byte) error {
	id, err := ParseSeatID(string(text))
	*s = id
	return err
}

// ParseSeatID parses "<block>-<index>": decimal numbers without sign or leading
// zeros.
func ParseSeatID(text string) (SeatID, error) {
	block, index, ok := strings.Cut(text, "-")
	b, errB := strconv.Atoi(block)
	i, errI := strconv.Atoi(index)
	id := SeatID{b, i}
	if !ok || errB != nil || errI != nil || b < 1 || b > 999_999 || i < 0 || i >= BlockSize || id.String() != text {
		return SeatID{}, fmt.Errorf("%q is not a seat id", text)
	}
	return id, nil
}

// SeatState is the state of a seat as buyers see it.
type SeatState uint8

// Seat states.
const (
	Available SeatState = iota
	HeldSeat
	Sold
	Blocked
)

// Letter returns the state as written in a snapshot: a, h, s or x.
func (s SeatState) Letter() byte { return "ahsx"[s] }

// String returns the state as written in a delta.
func (s SeatState) String() string {
	return [...]string{"available", "held", "sold", "blocked"}[s]
}
