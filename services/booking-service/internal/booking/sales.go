package booking

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// SeatCounts is how many seats are in each state.
type SeatCounts struct {
	Available, Held, Sold, Blocked int
}

func (c *SeatCounts) add(s State) {
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
	AsOf  time.Time
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
	// Buckets are by time; those in which nothing was sold are left out.
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

// Tally counts an event's bookings, one by one.
type Tally struct {
	event   *Event
	revenue int64
	byType  []int64
	// finest has the smallest buckets, by number since 1970.
	finest map[int64]SalesBucket
}

// NewTally returns a tally that has counted nothing.
func NewTally(e *Event) *Tally {
	return &Tally{event: e, byType: make([]int64, len(e.TicketTypes)), finest: map[int64]SalesBucket{}}
}

// Add counts a booking if it is confirmed.
func (t *Tally) Add(b *Booking) {
	if b.Status != Confirmed {
		return
	}
	t.revenue += b.Total.Amount
	for _, seat := range b.Seats {
		if i, ok := t.event.types[seat.TicketTypeID]; ok {
			t.byType[i] += seat.Price
		}
	}
	if b.ConfirmedAt == nil {
		return
	}
	n := b.ConfirmedAt.Unix() / bucketSizes[0]
	bucket := t.finest[n]
	bucket.Sold += len(b.Seats)
	bucket.Revenue += b.Total.Amount
	t.finest[n] = bucket
}

// Sales returns what was counted; seats has the counts by ticket type.
func (t *Tally) Sales(asOf time.Time, all SeatCounts, byType []SeatCounts) Sales {
	s := Sales{AsOf: asOf, Seats: all, Revenue: t.revenue, OverTime: t.overTime(), TicketTypes: make([]TicketTypeSales, len(t.byType))}
	for i, tt := range t.event.TicketTypes {
		s.TicketTypes[i] = TicketTypeSales{tt.ID, tt.Name, byType[i], t.byType[i]}
	}
	return s
}

// overTime merges the finest buckets into the smallest of which there are few
// enough.
func (t *Tally) overTime() SalesOverTime {
	finest := slices.Sorted(maps.Keys(t.finest))
	size := bucketSizes[0]
	for _, size = range bucketSizes {
		if len(finest) == 0 {
			break
		}
		first, last := finest[0]*bucketSizes[0]/size, finest[len(finest)-1]*bucketSizes[0]/size
		if last-first < maxBuckets {
			break
		}
	}
	over := SalesOverTime{Bucket: time.Duration(size) * time.Second, Buckets: []SalesBucket{}}
	for _, n := range finest {
		start := n * bucketSizes[0] / size * size
		i := len(over.Buckets) - 1
		if i < 0 || over.Buckets[i].StartsAt.Unix() != start {
			over.Buckets = append(over.Buckets, SalesBucket{StartsAt: time.Unix(start, 0).UTC()})
			i++
		}
		over.Buckets[i].Sold += t.finest[n].Sold
		over.Buckets[i].Revenue += t.finest[n].Revenue
	}
	return over
}

// salesKept is how long a count of sales is the answer; salesTimeout bounds one.
const (
	salesKept    = 5 * time.Second
	salesTimeout = 10 * time.Second
)

// Sales counts how an event sells. It reads every booking, so all who ask within
// some seconds get the same count.
func (s *Service) Sales(ctx context.Context, e *Event) (Sales, error) {
	if kept, ok := s.sales.Get(e.ID()); ok && s.clock.Now().Sub(kept.AsOf) < salesKept {
		return kept, nil
	}
	v, err, _ := s.counting.Do(e.ID().String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), salesTimeout)
		defer cancel()
		counted, err := s.countSales(ctx, e)
		if err == nil {
			s.sales.Add(e.ID(), counted)
		}
		return counted, err
	})
	counted, _ := v.(Sales)
	return counted, err
}

func (s *Service) countSales(ctx context.Context, e *Event) (Sales, error) {
	asOf := s.clock.Now().Truncate(time.Millisecond)
	sale := s.inventory.Sale(e.ID())
	if sale == nil {
		// Over for so long that nobody holds it in memory any more.
		var err error
		if sale, err = s.inventory.read(ctx, e); err != nil {
			return Sales{}, err
		}
	}
	tally := NewTally(e)
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(4) // of blocks with a thousand bookings each
	for i := range e.BlockCount() {
		group.Go(func() error {
			records, err := s.store.ReadBookings(groupCtx, BlockID{e.ID(), i + 1})
			mu.Lock()
			defer mu.Unlock()
			for i := range records {
				tally.Add(&records[i].Booking)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Sales{}, err
	}
	all, byType := sale.countsByType(e)
	return tally.Sales(asOf, all, byType), nil
}
