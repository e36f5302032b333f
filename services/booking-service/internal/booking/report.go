package booking

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// SeatCounts is how many seats are in each state.
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

// Sales is how an event sells. Money is in minor units of its currency.
type Sales struct {
	Seats SeatCounts
	// Revenue is what the confirmed bookings cost.
	Revenue int64
	// TicketTypes are in the event's order.
	TicketTypes []TicketTypeSales
	OverTime    SalesOverTime
}

// TicketTypeSales is how one ticket type sells.
type TicketTypeSales struct {
	ID, Name string
	Seats    SeatCounts
	Revenue  int64
}

// SalesOverTime has what was sold by the time of its confirmation.
type SalesOverTime struct {
	// Bucket is the length of a bucket.
	Bucket time.Duration
	// Buckets are by time, without the empty ones.
	Buckets []SalesBucket
}

// SalesBucket is what was sold in one span of time.
type SalesBucket struct {
	StartsAt time.Time
	// Sold counts seats.
	Sold    int
	Revenue int64
}

// bucketSizes in seconds, each a multiple of the one before.
var bucketSizes = []int64{10, 60, 300, 900, 3600, 21600, 86400}

// maxBuckets from the first sale to the last, unless those are more days apart.
const maxBuckets = 120

// Sales returns how the event sells.
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

// merge merges buckets of the smallest size, by number since 1970, into the
// smallest size of which there are few enough.
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

// Counts returns how many seats are available, held and sold.
func (s *State) Counts() (available, held, sold int) {
	for _, byType := range s.free {
		for _, n := range byType {
			available += n
		}
	}
	if s.closed() {
		available = 0
	}
	return available, s.held, s.sold
}

// Attendee is somebody who has a ticket.
type Attendee struct {
	Ticket, Booking uuid.UUID
	Seat            BookedSeat
	// Holder is the buyer's e-mail.
	Holder string
	// CheckedInAt is nil for those who are not in.
	CheckedInAt *time.Time
}

// Attendees returns up to limit of those who have tickets, by seat, from a
// position on, and the position to go on from, -1 at the end.
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
		a := Attendee{Ticket: TicketID(b.FullID(), seat.ID), Booking: b.FullID(), Seat: seat, Holder: b.Holder}
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
	// States has one letter a seat, by index.
	States string
}

// Blocks returns all seats as buyers see them.
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
