package event

import (
	"slices"
	"strconv"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// MaxBlockSeats is the size of a block: what one conditional batch in
// booking-service's store may decide about. The fewer blocks an event has, the
// more holds share a batch; the larger one is, the longer it takes to read.
const MaxBlockSeats = 2000

// cut numbers the blocks of the venue, gives every seat its id, and returns
// the blocks in the form of EventChanged: block i has number i+1. A block is
// whole consecutive rows; a row of more than MaxBlockSeats is cut into blocks
// of its own, and so is a general-admission area.
func (v *Venue) cut() []events.Block {
	c := cutter{size: MaxBlockSeats}
	v.SeatCount = 0
	for i := range v.Sections {
		s := &v.Sections[i]
		s.Blocks = c.section(s)
		v.SeatCount += s.SeatCount
	}
	for i := range v.Areas {
		a := &v.Areas[i]
		a.Blocks = c.area(a)
		v.SeatCount += a.SeatCount
	}
	return c.blocks
}

type cutter struct {
	blocks []events.Block
	// size of the block being filled.
	size int
}

// begin starts a block and returns its number.
func (c *cutter) begin(section string, general bool) string {
	c.blocks = append(c.blocks, events.Block{Section: section, GeneralAdmission: general})
	c.size = 0
	return strconv.Itoa(len(c.blocks))
}

func (c *cutter) section(s *Section) (ids []string) {
	for i := range s.Rows {
		row := &s.Rows[i]
		for part := range slices.Chunk(row.Seats, MaxBlockSeats) {
			if c.size+len(part) > MaxBlockSeats {
				c.begin(s.Name, false)
			}
			number := strconv.Itoa(len(c.blocks))
			if !slices.Contains(ids, number) {
				ids = append(ids, number)
			}
			for j := range part {
				part[j].ID = number + "-" + strconv.Itoa(c.size+j)
			}
			block := &c.blocks[len(c.blocks)-1]
			run := runLength(row.Label, part)
			if s.Name != block.Section {
				run.Section = s.Name
			}
			block.Rows = append(block.Rows, run)
			c.size += len(part)
		}
		if len(row.Seats) > MaxBlockSeats {
			c.size = MaxBlockSeats // the rest of a long row shares its block with no other
		}
	}
	return ids
}

func (c *cutter) area(a *Area) (ids []string) {
	for first := 1; first <= a.Capacity; first += MaxBlockSeats {
		ids = append(ids, c.begin(a.Name, true))
		size := min(MaxBlockSeats, a.Capacity-first+1)
		c.blocks[len(c.blocks)-1].Rows = []events.Row{{
			First: first, Runs: []events.Run{{Category: a.Category, Count: size}},
		}}
	}
	return ids
}

// runLength returns seats as booking-service gets them: runs instead of seats.
func runLength(label string, seats []Seat) events.Row {
	row := events.Row{Label: label}
	for i, s := range seats {
		if n := len(row.Runs); n > 0 && row.Runs[n-1].Category == s.Category {
			row.Runs[n-1].Count++
		} else {
			row.Runs = append(row.Runs, events.Run{Category: s.Category, Count: 1})
		}
		if s.Blocked {
			row.Blocked = append(row.Blocked, i)
		}
		if s.Accessible {
			row.Accessible = append(row.Accessible, i)
		}
	}
	if first, ok := consecutive(seats); ok {
		row.First = first
		return row
	}
	row.Numbers = make([]string, len(seats))
	for i, s := range seats {
		row.Numbers[i] = s.Number
	}
	return row
}

// consecutive tells whether the seats' numbers are n, n+1, …, and n; n is at
// least 1, since 0 is how a message says that there is no first number.
func consecutive(seats []Seat) (int, bool) {
	first, err := strconv.Atoi(seats[0].Number)
	if err != nil || first < 1 {
		return 0, false
	}
	for i, s := range seats {
		if s.Number != strconv.Itoa(first+i) {
			return 0, false
		}
	}
	return first, true
}
