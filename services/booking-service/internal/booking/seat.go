package booking

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// BlockSize is the largest number of seats in a block.
const BlockSize = 2000

// BlockID names a block: up to BlockSize neighbouring seats of one event that
// share a partition.
type BlockID struct {
	Event uuid.UUID `json:"event_id"`
	// Block counts from 1.
	Block int `json:"block"`
}

// SeatID is a seat's place in its event: "<block>-<index>".
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

// ParseSeatID reads "<block>-<index>" in its one spelling: decimal, no sign,
// no leading zero.
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

// State of a seat as buyers see it.
type State uint8

// States.
const (
	Available State = iota
	HeldSeat
	Sold
	Blocked
)

// Letter is the state in a snapshot: a, h, s or x.
func (s State) Letter() byte { return "ahsx"[s] }

// String is the state in a delta.
func (s State) String() string {
	return [...]string{"available", "held", "sold", "blocked"}[s]
}

// NotForSale owns the seats nobody may hold: blocked ones, those without a
// price, and all free seats of a cancelled event. The zero UUID owns the free.
var NotForSale = uuid.Max

// Seat is a seat's row.
type Seat struct {
	// Owner is a booking's id, uuid.Nil when free, or NotForSale.
	Owner uuid.UUID
	// Deadline of the hold, Unix milliseconds; meaningful while held.
	Deadline int64
	// Home is the block that holds the owner's row.
	Home  int32
	State State
}

func freeSeat() Seat { return Seat{} }

func blockedSeat() Seat { return Seat{Owner: NotForSale, State: Blocked} }

// SeatChange is a compare-and-set of one seat.
type SeatChange struct {
	Index int
	From  uuid.UUID
	To    Seat
}

// BookingChange is a compare-and-set of one booking's row.
type BookingChange struct {
	// From is the revision the row must have; 0: it must not exist.
	From int
	// To is the new row. With revision From it changes the outbox alone.
	To Record
}

// Change is what one operation wants of a block: all of it or nothing.
type Change struct {
	Seats   []SeatChange
	Booking *BookingChange
	// Index, if any, is written beside the change and is there when the change
	// is answered with yes.
	Index *IndexEntry
}

func (c *Change) overlaps(seats map[int]bool, bookings map[uuid.UUID]bool) bool {
	if c.Booking != nil && bookings[c.Booking.To.ID] {
		return true
	}
	for _, s := range c.Seats {
		if seats[s.Index] {
			return true
		}
	}
	return false
}

func (c *Change) mark(seats map[int]bool, bookings map[uuid.UUID]bool) {
	if c.Booking != nil {
		bookings[c.Booking.To.ID] = true
	}
	for _, s := range c.Seats {
		seats[s.Index] = true
	}
}
