package booking_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

// world is replicas over one store, without locks and without a feed: the
// hardest case, in which the store alone decides.
type world struct {
	store    *bookingtest.Store
	outbox   *bookingtest.Outbox
	clock    *clock.Manual
	def      events.EventChanged
	replicas []*booking.Service
	pictures []*booking.Inventory
}

func newWorld(t *testing.T, replicas int, change func(*events.EventChanged)) *world {
	t.Helper()
	w := &world{
		store: bookingtest.NewStore(), outbox: &bookingtest.Outbox{}, clock: clock.NewManual(time.Now()),
		def: bookingtest.Definition(2),
	}
	if change != nil {
		change(&w.def)
	}
	for range replicas {
		inv := booking.NewInventory(w.store)
		committer := booking.NewCommitter(w.store, inv, bookingtest.NoFeed{}, uuid.NewString())
		s := booking.NewService(w.store, bookingtest.ColdLocks{}, w.outbox, committer, inv, w.clock)
		if err := s.Changed(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		w.replicas, w.pictures = append(w.replicas, s), append(w.pictures, inv)
	}
	return w
}

func (w *world) ask(seats ...booking.SeatID) booking.HoldRequest {
	return booking.HoldRequest{User: uuid.Must(uuid.NewV7()), Event: w.def.EventID, Seats: seats}
}

func (w *world) hold(t *testing.T, seats ...booking.SeatID) booking.Booking {
	t.Helper()
	b, _, err := w.replicas[0].Hold(t.Context(), w.ask(seats...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func at(block, index int) booking.SeatID { return booking.SeatID{Block: block, Index: index} }

// owners returns who owns the seats that are not free.
func (w *world) owners(t *testing.T) map[booking.SeatID]uuid.UUID {
	t.Helper()
	owners := map[booking.SeatID]uuid.UUID{}
	for n := range w.def.Blocks {
		block, err := w.store.ReadBlock(t.Context(), booking.BlockID{Event: w.def.EventID, Block: n + 1})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range block.Seats {
			if s.Owner != uuid.Nil {
				owners[at(n+1, i)] = s.Owner
			}
		}
	}
	return owners
}

func (w *world) status(t *testing.T, b booking.Booking) booking.Booking {
	t.Helper()
	got, err := w.replicas[0].Get(t.Context(), b.UserID, b.ID)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// sweep does on every replica what leaders do all the time.
func (w *world) sweep(t *testing.T) {
	t.Helper()
	for _, s := range w.replicas {
		if err := s.CorrectNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		for shard := range booking.Shards {
			if err := s.SweepHolds(t.Context(), shard); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w *world) paid(b booking.Booking) events.PaymentConfirmed {
	return events.PaymentConfirmed{
		PaymentID: uuid.Must(uuid.NewV7()), BookingID: b.ID, EventID: b.Home.Event, HomeBlock: b.Home.Block, Amount: b.Total,
	}
}

func wantRefusal(t *testing.T, err error, reason booking.Reason) *booking.Refusal {
	t.Helper()
	var r *booking.Refusal
	if !errors.As(err, &r) || r.Reason != reason {
		t.Fatalf("got %v, want the refusal %s", err, reason)
	}
	return r
}

// stall occupies block 1 with a round that takes until release is called.
func (w *world) stall(t *testing.T) (release func()) {
	t.Helper()
	gate, entered, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var stalled atomic.Bool
	w.store.Fail(func(booking.BlockID, []booking.Change) bookingtest.Fault {
		if stalled.CompareAndSwap(false, true) {
			close(entered)
			<-gate
		}
		return bookingtest.None
	})
	go func() {
		defer close(done)
		w.hold(t, at(1, 0))
	}()
	<-entered
	return func() { close(gate); <-done }
}

func TestSeatIDHasOneSpelling(t *testing.T) {
	for _, text := range []string{"1-0", "12-45", "999999-299"} {
		if id, err := booking.ParseSeatID(text); err != nil || id.String() != text {
			t.Errorf("%s: %v %v", text, id, err)
		}
	}
	for _, text := range []string{"", "1", "0-1", "01-1", "1-01", "1-2000", "-1-2", "+1-2", "1- 2", "1-2-3", "1000000-1", "a-b"} {
		if id, err := booking.ParseSeatID(text); err == nil {
			t.Errorf("%q was read as %v", text, id)
		}
	}
}

func TestPlanThatContradictsItselfIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*events.EventChanged){
		"blocked seat outside its row": func(e *events.EventChanged) { e.Blocks[0].Rows[0].Blocked = []int{10} },
		"numbers of other length":      func(e *events.EventChanged) { e.Blocks[0].Rows[0].Numbers = []string{"1"} },
		"block too large":              func(e *events.EventChanged) { e.Blocks[0].Rows[0].Runs[0].Count = 2001 },
	} {
		t.Run(name, func(t *testing.T) {
			def := bookingtest.Definition(1)
			spoil(&def)
			if _, err := booking.NewEvent(def); err == nil {
				t.Error("accepted")
			}
		})
	}
}
