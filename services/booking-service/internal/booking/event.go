package booking

import (
	"cmp"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Event is one definition of an event: its sale window, ticket types and limits
// as announced by event-service, with the seat plan expanded.
type Event struct {
	// EventChanged has no Blocks; Plan replaces them.
	events.EventChanged
	Plan *Plan
	// raw is the definition's JSON.
	raw []byte
	// types maps each ticket type's id to its index.
	types map[string]int
	// typeOf has the index of each category's ticket type, or -1.
	typeOf []int16
}

// Plan is an event's seat plan. It is the same in all definitions of an event.
// Positions number its seats from 0, through the blocks in order.
type Plan struct {
	Blocks     []PlanBlock
	categories []string
	seats      []planSeat
}

// PlanBlock is a block of a plan.
type PlanBlock struct {
	// Start is the position of the block's first seat.
	Start, Count int
	// general marks a standing area: its seats have no location.
	general bool
	rows    []planRow
}

type planSeat struct {
	row      int16 // index in its block
	category int8
	blocked  bool
}

type planRow struct {
	section string
	label   string
	numbers []string // nil when they count from first
	first   int
	start   int // position of the row's first seat
	count   int
}

// NewEvent decodes a definition, the JSON of an EventChanged. The plan of an
// earlier definition, if any, is kept. Error: the plan is inconsistent.
func NewEvent(definition []byte, plan *Plan) (*Event, error) {
	e := &Event{raw: definition, Plan: plan, types: map[string]int{}}
	if err := json.Unmarshal(definition, &e.EventChanged); err != nil {
		return nil, fmt.Errorf("decode definition: %w", err)
	}
	if plan == nil {
		var err error
		if e.Plan, err = newPlan(e.Blocks); err != nil {
			return nil, err
		}
	}
	e.Blocks = nil
	e.typeOf = make([]int16, len(e.Plan.categories))
	for c, category := range e.Plan.categories {
		e.typeOf[c] = -1
		for i, t := range e.TicketTypes {
			if t.Category == category {
				e.typeOf[c] = int16(i)
			}
		}
	}
	for i, t := range e.TicketTypes {
		e.types[t.ID] = i
	}
	return e, nil
}

func newPlan(blocks []events.Block) (*Plan, error) {
	p := &Plan{Blocks: make([]PlanBlock, len(blocks))}
	categories := map[string]int8{}
	for n, b := range blocks {
		block := &p.Blocks[n]
		block.Start, block.general = len(p.seats), b.GeneralAdmission
		for _, r := range b.Rows {
			row := planRow{section: cmp.Or(r.Section, b.Section), label: r.Label, numbers: r.Numbers, first: r.First, start: len(p.seats)}
			for _, run := range r.Runs {
				c, ok := categories[run.Category]
				if !ok {
					if len(categories) == 127 {
						return nil, fmt.Errorf("block %d: more than 127 categories", n+1)
					}
					c = int8(len(categories))
					categories[run.Category] = c
					p.categories = append(p.categories, run.Category)
				}
				if run.Count < 0 || run.Count > BlockSize {
					return nil, fmt.Errorf("block %d, row %q: a run of %d seats", n+1, r.Label, run.Count)
				}
				for range run.Count {
					p.seats = append(p.seats, planSeat{row: int16(len(block.rows)), category: c})
				}
			}
			row.count = len(p.seats) - row.start
			if len(row.numbers) > 0 && len(row.numbers) != row.count {
				return nil, fmt.Errorf("block %d, row %q: %d numbers for %d seats", n+1, r.Label, len(row.numbers), row.count)
			}
			for _, off := range r.Blocked {
				if off < 0 || off >= row.count {
					return nil, fmt.Errorf("block %d, row %q: blocked seat %d is outside the row", n+1, r.Label, off)
				}
				p.seats[row.start+off].blocked = true
			}
			block.rows = append(block.rows, row)
		}
		if block.Count = len(p.seats) - block.Start; block.Count > BlockSize {
			return nil, fmt.Errorf("block %d has %d seats, more than %d", n+1, block.Count, BlockSize)
		}
	}
	return p, nil
}

// Len returns the number of seats.
func (p *Plan) Len() int { return len(p.seats) }

// Position returns the position of a seat. ok is false if the plan has no such
// seat.
func (p *Plan) Position(id SeatID) (position uint32, ok bool) {
	if id.Block < 1 || id.Block > len(p.Blocks) || id.Index < 0 || id.Index >= p.Blocks[id.Block-1].Count {
		return 0, false
	}
	return uint32(p.Blocks[id.Block-1].Start + id.Index), true
}

// block returns the index of a position's block.
func (p *Plan) block(position uint32) int {
	return sort.Search(len(p.Blocks), func(i int) bool { return p.Blocks[i].Start > int(position) }) - 1
}

// SeatID returns the id of the seat at a position.
func (p *Plan) SeatID(position uint32) SeatID {
	b := p.block(position)
	return SeatID{b + 1, int(position) - p.Blocks[b].Start}
}

// SeatIDs returns the ids of the seats at positions.
func (p *Plan) SeatIDs(positions []uint32) []SeatID {
	ids := make([]SeatID, len(positions))
	for i, n := range positions {
		ids[i] = p.SeatID(n)
	}
	return ids
}

// ID returns the event's id.
func (e *Event) ID() uuid.UUID { return e.EventID }

// ticketType returns the index of a seat's ticket type, or -1 if it is not for
// sale.
func (e *Event) ticketType(position uint32) int {
	seat := e.Plan.seats[position]
	if seat.blocked {
		return -1
	}
	return int(e.typeOf[seat.category])
}

// BookedSeat is a seat as it is sold.
type BookedSeat struct {
	ID             SeatID       `json:"id"`
	Section        string       `json:"section"`
	Row            string       `json:"row,omitempty"`
	Number         string       `json:"number"`
	TicketTypeID   string       `json:"ticket_type_id"`
	TicketTypeName string       `json:"ticket_type"`
	Price          events.Money `json:"price"`
}

// Describe returns a seat as sold under this definition.
func (e *Event) Describe(position uint32) BookedSeat {
	b := e.Plan.block(position)
	block, seat := &e.Plan.Blocks[b], e.Plan.seats[position]
	row := &block.rows[seat.row]
	offset := int(position) - row.start
	s := BookedSeat{ID: SeatID{b + 1, int(position) - block.Start}, Section: row.section, Row: row.label, Price: events.Money{Currency: e.Currency}}
	if len(row.numbers) > 0 {
		s.Number = row.numbers[offset]
	} else {
		s.Number = strconv.Itoa(row.first + offset)
	}
	if t := e.typeOf[seat.category]; t >= 0 {
		tt := &e.TicketTypes[t]
		s.TicketTypeID, s.TicketTypeName, s.Price.Amount = tt.ID, tt.Name, tt.Price
	}
	return s
}

// price returns the sum of the seats' prices.
func (e *Event) price(seats []uint32) (total int64) {
	for _, n := range seats {
		if t := e.typeOf[e.Plan.seats[n].category]; t >= 0 {
			total += e.TicketTypes[t].Price
		}
	}
	return total
}

// onSale returns why seats are not for sale at a time, or "" if they are.
func (e *Event) onSale(now time.Time) Reason {
	switch {
	case e.Status != events.StatusPublished || !now.Before(e.EndsAt):
		return EventNotOnSale
	case now.Before(e.SaleStartsAt):
		return SaleNotStarted
	case !now.Before(e.SaleEndsAt):
		return SaleEnded
	}
	return ""
}
