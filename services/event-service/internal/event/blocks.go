package event

import (
	"slices"
	"strconv"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
)

// A block is a number of neighbouring seats. booking-service counts free seats
// per block and searches for the best available ones block by block. A large
// venue has about blocksOfLarge of them.
const (
	minBlockSeats = 300
	maxBlockSeats = 2000
	blocksOfLarge = 32
)

// split numbers the blocks of the venue, gives every seat its id, and returns the
// blocks in the form of EventChanged: block i has number i+1. A block consists
// of whole consecutive rows. A row that is too large is cut into separate
// blocks, and so is a general-admission area. Sections share a block only in a
// large venue.
func (v *Venue) split() []events.Block {
	v.SeatCount = 0
	for _, s := range v.Sections {
		v.SeatCount += s.SeatCount
	}
	for _, a := range v.Areas {
		v.SeatCount += a.SeatCount
	}
	c := splitter{limit: min(max(minBlockSeats, v.SeatCount/blocksOfLarge), maxBlockSeats)}
	for i := range v.Sections {
		v.Sections[i].Blocks = c.section(&v.Sections[i])
	}
	for i := range v.Areas {
		v.Areas[i].Blocks = c.area(&v.Areas[i])
	}
	return c.blocks
}

type splitter struct {
	blocks []events.Block
	// limit is the maximum size of a block, room what is left in the last one.
	limit, room int
}

// begin starts a block.
func (c *splitter) begin(section string, general bool) {
	c.blocks = append(c.blocks, events.Block{Section: section, GeneralAdmission: general})
	c.room = c.limit
}

func (c *splitter) section(s *rest.Section) (ids []string) {
	if c.limit == minBlockSeats {
		c.room = 0
	}
	for i := range s.Rows {
		row := &s.Rows[i]
		for part := range slices.Chunk(row.Seats, c.limit) {
			if len(part) > c.room {
				c.begin(s.Name, false)
			}
			number := strconv.Itoa(len(c.blocks))
			if !slices.Contains(ids, number) {
				ids = append(ids, number)
			}
			for j := range part {
				part[j].ID = number + "-" + strconv.Itoa(c.limit-c.room+j)
			}
			block := &c.blocks[len(c.blocks)-1]
			run := runLength(row.Label, part)
			if s.Name != block.Section {
				run.Section = s.Name
			}
			block.Rows = append(block.Rows, run)
			c.room -= len(part)
		}
		if len(row.Seats) > c.limit {
			c.room = 0 // the rest of a long row does not share its block
		}
	}
	return ids
}

func (c *splitter) area(a *rest.Area) (ids []string) {
	for first := 1; first <= a.Capacity; first += c.limit {
		c.begin(a.Name, true)
		ids = append(ids, strconv.Itoa(len(c.blocks)))
		size := min(c.limit, a.Capacity-first+1)
		c.blocks[len(c.blocks)-1].Rows = []events.Row{{
			First: first, Runs: []events.Run{{Category: a.Category, Count: size}},
		}}
	}
	return ids
}

// runLength returns seats in booking-service's format: runs instead of single
// seats.
func runLength(label string, seats []rest.Seat) events.Row {
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

// consecutive reports whether the seats' numbers are n, n+1, …, and returns n.
// n is at least 1, because 0 in a message means that there is no first number.
func consecutive(seats []rest.Seat) (int, bool) {
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
