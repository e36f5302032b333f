package booking

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sync/singleflight"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
)

var (
	lockDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "seat_lock_duration_seconds", Help: "Time of a hold: in Redis, in the committed round, and in all.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"stage", "outcome"})
	holdsInFlight = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "holds_in_flight", Help: "Holds that are being made.",
	})
	sagaDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "booking_saga_duration_seconds", Help: "Time from a hold to what became of it.",
		Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 600, 3600},
	}, []string{"outcome"})
	expiryLag = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "hold_expiry_lag_seconds", Help: "How long after its deadline a hold ended.",
		Buckets: []float64{.1, .25, .5, 1, 2, 3, 4, 5, 10, 30, 60, 600},
	})
	oversold = promauto.NewCounter(prometheus.CounterOpts{
		Name: "oversold_seats_total", Help: "Seats found with another owner than the live booking that lists them. Must stay 0.",
	})
	outboxLag = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "outbox_lag_seconds", Help: "Age of the oldest message found unpublished by the last sweep.",
	})
)

// Service sells seats.
type Service struct {
	store     Store
	locks     Locks
	outbox    Outbox
	committer *Committer
	inventory *Inventory
	clock     clock.Clock

	// recent has records as this replica last wrote them: a guess that saves a
	// read, never the ground of an answer.
	recent     *lru.Cache[uuid.UUID, Record]
	twins      singleflight.Group
	publishing sync.Map // booking id and revision → under way
	warming    sync.Map // event id → under way
	loading    singleflight.Group
	// sales has the last counts, by event.
	sales    *lru.Cache[uuid.UUID, Sales]
	counting singleflight.Group
}

// NewService returns a service over its stores.
func NewService(store Store, locks Locks, outbox Outbox, committer *Committer, inventory *Inventory, clk clock.Clock) *Service {
	recent, err := lru.New[uuid.UUID, Record](recentRecords)
	if err != nil {
		panic("booking: " + err.Error()) // of a size that is not positive
	}
	sales, err := lru.New[uuid.UUID, Sales](recentSales)
	if err != nil {
		panic("booking: " + err.Error())
	}
	return &Service{
		store: store, locks: locks, outbox: outbox, committer: committer, inventory: inventory, clock: clk, recent: recent, sales: sales,
	}
}

// recentSales are those that organizers look at together.
const recentSales = 64

// recentRecords are about 20 MB.
const recentRecords = 16 << 10

// Get returns a user's booking. Error: NotFound, also for another user's.
func (s *Service) Get(ctx context.Context, user, id uuid.UUID) (Booking, error) {
	ref, found, err := s.store.FindBooking(ctx, user, id)
	if err != nil {
		return Booking{}, err
	}
	if !found {
		return Booking{}, refuse(NotFound)
	}
	rec, err := s.store.ReadBooking(ctx, ref, false)
	if err != nil {
		return Booking{}, err
	}
	if rec.Revision == 0 || rec.Status == Refused || rec.UserID != user {
		return Booking{}, refuse(NotFound)
	}
	return rec.Booking, nil
}

// update moves a booking by a closure without side effects, which may run
// several times; it returns whether it changed the record. Seats follow the
// booking's status. Error: NotFound when there is no row.
func (s *Service) update(ctx context.Context, ref Ref, change func(*Record) (bool, error)) (Record, error) {
	for {
		rec, guessed := s.recent.Get(ref.ID)
		if guessed {
			s.recent.Remove(ref.ID)
		} else {
			var err error
			if rec, err = s.store.ReadBooking(ctx, ref, false); err != nil {
				return Record{}, err
			}
		}
		if rec.Revision == 0 {
			return Record{}, refuse(NotFound)
		}
		next := rec
		next.Outbox = slices.Clone(rec.Outbox)
		changed, err := change(&next)
		if guessed && (err != nil || !changed) {
			continue // only a compare-and-set proves a guess
		}
		if err != nil || !changed {
			s.publish(rec)
			return rec, err
		}
		next.Revision, next.UpdatedAt = rec.Revision+1, s.clock.Now()
		refused, err := s.committer.Commit(ctx, ref.BlockID, s.transition(&rec, &next))
		switch {
		case err != nil:
			return Record{}, err
		case refused.WrongRevision:
			continue
		case refused.Yes():
			// A live booking has lost a seat: what must never happen.
			oversold.Add(float64(len(refused.Owners) + len(refused.Missing)))
			slog.ErrorContext(ctx, "a live booking does not own its seats", "booking", ref.ID, "event", ref.Event, "refused", refused)
			if next, err = s.giveUp(ctx, ref, rec, refused); err != nil {
				return Record{}, err
			}
		}
		s.recent.Add(ref.ID, next)
		s.afterTransition(ctx, &rec, &next)
		return next, nil
	}
}

// transition is the change of the home block that moves rec to next.
func (s *Service) transition(rec, next *Record) Change {
	ch := Change{Booking: &BookingChange{From: rec.Revision, To: *next}}
	for _, g := range rec.SeatsByBlock() {
		if g.Block == rec.Home.Block {
			ch.Seats = seatTransition(rec, next, g.Indexes)
		}
	}
	return ch
}

func seatTransition(rec, next *Record, indexes []int) []SeatChange {
	if rec.Status == next.Status || !rec.Status.Live() {
		return nil
	}
	to := freeSeat()
	if next.Status == Confirmed {
		to = Seat{Owner: rec.ID, Home: int32(rec.Home.Block), State: Sold}
	}
	changes := make([]SeatChange, len(indexes))
	for i, n := range indexes {
		changes[i] = SeatChange{Index: n, From: rec.ID, To: to}
	}
	return changes
}

// giveUp ends a booking that lost seats, so that its money goes back.
func (s *Service) giveUp(ctx context.Context, ref Ref, rec Record, refused Conflict) (Record, error) {
	next := rec
	s.end(ctx, &next, Cancelled, events.PaymentLate)
	next.Revision, next.UpdatedAt = rec.Revision+1, s.clock.Now()
	ch := s.transition(&rec, &next)
	kept := ch.Seats[:0]
	for _, sc := range ch.Seats {
		if _, lost := refused.Owners[sc.Index]; !lost {
			kept = append(kept, sc)
		}
	}
	ch.Seats = kept
	again, err := s.committer.Commit(ctx, ref.BlockID, ch)
	if err == nil && again.Yes() {
		err = errors.New("a booking that lost its seats could not be ended")
	}
	return next, err
}

// afterTransition does what follows from a booking's new status and is done
// again by the sweep if this process dies: the seats in other blocks, the
// locks, the messages.
func (s *Service) afterTransition(ctx context.Context, rec, next *Record) {
	if rec.Status != next.Status && rec.Status.Live() {
		for _, g := range rec.SeatsByBlock() {
			if g.Block == rec.Home.Block {
				continue
			}
			// Refused only where a sweep has done it already.
			_, err := s.committer.Commit(ctx, BlockID{rec.Home.Event, g.Block}, Change{Seats: seatTransition(rec, next, g.Indexes)})
			if err != nil {
				slog.WarnContext(ctx, "seats of another block are left to the sweep", "booking", rec.ID, "block", g.Block, "error", err)
			}
		}
		s.settleLocks(ctx, next)
		observe.Observe(ctx, sagaDuration.WithLabelValues(string(next.Status)), s.clock.Now().Sub(next.CreatedAt).Seconds())
	}
	s.publish(*next)
}

func (s *Service) settleLocks(ctx context.Context, rec *Record) {
	outcome := LockOutcome{Booking: rec.ID, User: rec.UserID, State: Available, Ended: !rec.Status.Live()}
	for _, seat := range rec.Seats {
		outcome.Seats = append(outcome.Seats, seat.ID)
	}
	if rec.Status == Confirmed {
		outcome.State, outcome.Deadline = Sold, s.soldUntil(rec.Home.Event)
	}
	s.locks.Settle(ctx, rec.Home.Event, []LockOutcome{outcome})
}

// soldUntil is when the lock of a sold seat may go: a day after the event.
func (s *Service) soldUntil(event uuid.UUID) int64 {
	end := s.clock.Now().Add(30 * 24 * time.Hour)
	if sale := s.inventory.Sale(event); sale != nil {
		end = sale.Event().EndsAt.Add(24 * time.Hour)
	}
	return end.UnixMilli()
}

type publication struct {
	booking  uuid.UUID
	revision int
}

// publish sends a record's messages and then takes them out of its row.
func (s *Service) publish(rec Record) {
	if len(rec.Outbox) == 0 {
		return
	}
	key := publication{rec.ID, rec.Revision}
	if _, underWay := s.publishing.LoadOrStore(key, true); underWay {
		return
	}
	s.outbox.Publish(rec.Outbox, rec.ID.String(), func(err error) {
		s.publishing.Delete(key)
		if err != nil {
			return // the sweep sends them again
		}
		s.sent(rec)
		emptied := rec
		emptied.Outbox = nil
		// Refused when the row has moved on: then the messages went with it, and
		// what is sent again does no harm. Lost, the sweep does it again.
		s.committer.CommitLazily(rec.Home, Change{Booking: &BookingChange{From: rec.Revision, To: emptied}})
	})
}

// sent takes messages that Kafka has out of the recent record, so that they do
// not go on with its next revision.
func (s *Service) sent(rec Record) {
	if known, ok := s.recent.Peek(rec.ID); ok && known.Revision == rec.Revision {
		known.Outbox = nil
		s.recent.Add(rec.ID, known)
	}
}
