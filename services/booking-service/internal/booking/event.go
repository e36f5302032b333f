package booking

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Event is what booking-service knows of an event: its definition as
// event-service announced it, with the seat plan unfolded.
type Event struct {
	events.EventChanged
	plan  []planBlock
	types map[string]int // ticket type by id
}

type planBlock struct {
	general bool
	rows    []planRow
	// seats has, for each index, the ticket type's number or -1.
	ticket     []int16
	row        []int16
	accessible map[int]bool
	blocked    []bool
}

type planRow struct {
	section string
	label   string
	numbers []string // nil when they count from first
	first   int
	start   int // index of the row's first seat in the block
	count   int
}

// NewEvent unfolds an announced event. Error: a plan that contradicts itself.
func NewEvent(def events.EventChanged) (*Event, error) {
	e := &Event{EventChanged: def, types: map[string]int{}, plan: make([]planBlock, len(def.Blocks))}
	byCategory := map[string]int16{}
	for i, t := range def.TicketTypes {
		e.types[t.ID] = i
		byCategory[t.Category] = int16(i)
	}
	for n, b := range def.Blocks {
		p := &e.plan[n]
		p.general = b.GeneralAdmission
		for _, r := range b.Rows {
			row := planRow{section: cmp.Or(r.Section, b.Section), label: r.Label, numbers: r.Numbers, first: r.First, start: len(p.ticket)}
			for _, run := range r.Runs {
				ticket, ok := byCategory[run.Category]
				if !ok {
					ticket = -1
				}
				for range run.Count {
					p.ticket = append(p.ticket, ticket)
					p.row = append(p.row, int16(len(p.rows)))
					p.blocked = append(p.blocked, false)
				}
			}
			row.count = len(p.ticket) - row.start
			if len(row.numbers) > 0 && len(row.numbers) != row.count {
				return nil, fmt.Errorf("block %d, row %q: %d numbers for %d seats", n+1, r.Label, len(row.numbers), row.count)
			}
			for _, off := range r.Blocked {
				if off < 0 || off >= row.count {
					return nil, fmt.Errorf("block %d, row %q: blocked seat %d is not in the row", n+1, r.Label, off)
				}
				p.blocked[row.start+off] = true
			}
			for _, off := range r.Accessible {
				if p.accessible == nil {
					p.accessible = map[int]bool{}
				}
				p.accessible[row.start+off] = true
			}
			p.rows = append(p.rows, row)
		}
		if len(p.ticket) > BlockSize {
			return nil, fmt.Errorf("block %d has %d seats, more than %d", n+1, len(p.ticket), BlockSize)
		}
	}
	return e, nil
}

// ID returns the event's id.
func (e *Event) ID() uuid.UUID { return e.EventID }

// BlockCount returns how many blocks the seat plan has.
func (e *Event) BlockCount() int { return len(e.plan) }

// InitialSeats returns the rows of a block as they are when the sale is opened.
func (e *Event) InitialSeats(block int) []Seat {
	p := &e.plan[block-1]
	seats := make([]Seat, len(p.ticket))
	for i := range seats {
		if p.blocked[i] || p.ticket[i] < 0 {
			seats[i] = blockedSeat()
		}
	}
	return seats
}

// Has tells whether the plan has the seat.
func (e *Event) Has(id SeatID) bool {
	return id.Block >= 1 && id.Block <= len(e.plan) && id.Index >= 0 && id.Index < len(e.plan[id.Block-1].ticket)
}

// forSale tells whether the seat has a price and is not blocked.
func (e *Event) forSale(id SeatID) bool {
	p := &e.plan[id.Block-1]
	return !p.blocked[id.Index] && p.ticket[id.Index] >= 0
}

// Describe returns a seat as it is sold now.
func (e *Event) Describe(id SeatID) BookedSeat {
	p := &e.plan[id.Block-1]
	row := p.rows[p.row[id.Index]]
	offset := id.Index - row.start
	number := strconv.Itoa(row.first + offset)
	if len(row.numbers) > 0 {
		number = row.numbers[offset]
	}
	s := BookedSeat{ID: id, Section: row.section, Row: row.label, Number: number}
	if t := p.ticket[id.Index]; t >= 0 {
		tt := e.TicketTypes[t]
		s.TicketTypeID, s.TicketTypeName, s.Price = tt.ID, tt.Name, tt.Price
	}
	return s
}

// onSale refuses a hold outside the sale.
func (e *Event) onSale(now time.Time) error {
	switch {
	case e.Status != events.EventPublished || !now.Before(e.EndsAt):
		return refuse(EventNotOnSale)
	case now.Before(e.SaleStartsAt):
		return refuse(SaleNotStarted)
	case !now.Before(e.SaleEndsAt):
		return refuse(SaleEnded)
	}
	return nil
}
