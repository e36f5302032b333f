package booking

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// SeatCounts counts the seats in each state.
type SeatCounts struct {
	Available, Held, Sold, Blocked int
}

func (c *SeatCounts) add(s SeatState) {
	switch s {
	case Available:
		c.Available++
	case HeldSeat:
		c.Held++
	case Sold:
		c.Sold++
	case Blocked:
		c.Blocked++
	}
}

// Sales is an event's sales report. Money is in minor units of its currency.
type Sales struct {
	Seats SeatCounts
	// Revenue is the total price of the confirmed bookings.
	Revenue int64
	// TicketTypes are in the event's order.
	TicketTypes []TicketTypeSales
	OverTime    SalesOverTime
}

// TicketTypeSales is the sales report of one ticket type.
type TicketTypeSales struct {
	ID, Name string
	Seats    SeatCounts
	Revenue  int64
}

// SalesOverTime groups the confirmed sales by time of confirmation.
type SalesOverTime struct {
	// Bucket is the length of a bucket.
	Bucket time.Duration
	// Buckets are ordered by time, without empty ones.
	Buckets []SalesBucket
}

// SalesBucket holds the sales of one time span.
type SalesBucket struct {
	StartsAt time.Time
	// Sold counts seats.
	Sold    int
	Revenue int64
}

// bucketSizes are in seconds; each is a multiple of the previous one.
var bucketSizes = []int64{10, 60, 300, 900, 3600, 21600, 86400}

// maxBuckets limits the buckets from the first sale to the last, unless those
// are more days apart.
const maxBuckets = 120

// Sales returns the event's sales report.
func (s *State) Sales() Sales {
	e := s.Event
	sales := Sales{TicketTypes: make([]TicketTypeSales, len(e.TicketTypes))}
	for i, t := range e.TicketTypes {
		sales.TicketTypes[i].ID, sales.TicketTypes[i].Name = t.ID, t.Name
	}
	for n := range s.seats {
		state := s.SeatState(uint32(n))
		sales.Seats.add(state)
		if t := e.typeOf[e.Plan.seats[n].category]; t >= 0 {
			sales.TicketTypes[t].Seats.add(state)
		}
	}
	finest := map[int64]SalesBucket{}
	for _, b := range s.bookings {
		if b.Status != Confirmed {
			continue
		}
		total := b.Total().Amount
		sales.Revenue += total
		for _, n := range b.Seats {
			seat := b.Event.Describe(n)
			if i, ok := e.types[seat.TicketTypeID]; ok {
				sales.TicketTypes[i].Revenue += seat.Price.Amount
			}
		}
		n := b.ConfirmedAt / 1000 / bucketSizes[0]
		bucket := finest[n]
		bucket.Sold += len(b.Seats)
		bucket.Revenue += total
		finest[n] = bucket
	}
	sales.OverTime = merge(finest)
	return sales
}

// merge merges buckets of the smallest size, numbered since 1970, into the
// smallest size that needs at most maxBuckets.
func merge(finest map[int64]SalesBucket) SalesOverTime {
	numbers := slices.Sorted(maps.Keys(finest))
	size := bucketSizes[0]
	for _, size = range bucketSizes {
		if len(numbers) == 0 {
			break
		}
		first, last := numbers[0]*bucketSizes[0]/size, numbers[len(numbers)-1]*bucketSizes[0]/size
		if last-first < maxBuckets {
			break
		}
	}
	over := SalesOverTime{Bucket: time.Duration(size) * time.Second, Buckets: []SalesBucket{}}
	for _, n := range numbers {
		start := n * bucketSizes[0] / size * size
		i := len(over.Buckets) - 1
		if i < 0 || over.Buckets[i].StartsAt.Unix() != start {
			over.Buckets = append(over.Buckets, SalesBucket{StartsAt: time.Unix(start, 0).UTC()})
			i++
		}
		over.Buckets[i].Sold += finest[n].Sold
		over.Buckets[i].Revenue += finest[n].Revenue
	}
	return over
}

// Counts returns the numbers of available, held and sold seats.
func (s *State) Counts() (available, held, sold int) {
	for _, byType := range s.free {
		for _, n := range byType {
			available += n
		}
	}
	if s.cancelled() {
		available = 0
	}
	return available, s.held, s.sold
}

// Attendee is the holder of a ticket.
type Attendee struct {
	Ticket, Booking uuid.UUID
	Seat            BookedSeat
	// Holder is the buyer's e-mail.
	Holder string
	// CheckedInAt is nil for attendees who are not checked in.
	CheckedInAt *time.Time
	// Position is the seat's position in the plan.
	Position int
}

// OrderNumber returns the number of the attendee's booking.
func (a *Attendee) OrderNumber() string { return OrderNumber(a.Booking) }

// Matches reports whether a search text is part of the holder's e-mail or of
// the order number, or begins the seat as it is called: the section, or row and
// number. It ignores case, and the hyphen of an order number.
func (a *Attendee) Matches(text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	fold := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "") }
	seat := strings.ToLower(strings.TrimSpace(a.Seat.Row + " " + a.Seat.Number))
	return strings.Contains(strings.ToLower(a.Holder), text) || strings.HasPrefix(seat, text) ||
		strings.HasPrefix(strings.ToLower(a.Seat.Section), text) || strings.HasPrefix(strings.ToLower(a.Seat.Section)+" "+seat, text) ||
		strings.Contains(fold(a.OrderNumber()), fold(text))
}

// Attendees returns up to limit attendees, ordered by seat, starting at
// position from, and the position to continue from, or -1 at the end.
func (s *State) Attendees(from, limit int) (page []Attendee, next int) {
	for n := max(from, 0); n < len(s.seats); n++ {
		b := s.seats[n]
		if b == nil || b.Status != Confirmed {
			continue
		}
		if len(page) == limit {
			return page, n
		}
		seat := b.Event.Describe(uint32(n))
		a := Attendee{Ticket: TicketID(b.FullID(), seat.ID), Booking: b.FullID(), Seat: seat, Holder: b.Holder, Position: n}
		if in := s.admitted[admission{b.ID, uint32(n)}]; in != nil {
			at := millis(in.GetAt())
			a.CheckedInAt = &at
		}
		page = append(page, a)
	}
	return page, -1
}

// BlockStates is a block's seats as buyers see them.
type BlockStates struct {
	// Block counts from 1.
	Block int
	// States has one letter per seat, by index.
	States string
}

// Blocks returns the state of all seats as buyers see it.
func (s *State) Blocks() []BlockStates {
	blocks := make([]BlockStates, len(s.Event.Plan.Blocks))
	for i, block := range s.Event.Plan.Blocks {
		states := make([]byte, block.Count)
		for j := range states {
			states[j] = s.SeatState(uint32(block.Start + j)).Letter()
		}
		blocks[i] = BlockStates{i + 1, string(states)}
	}
	return blocks
}
