package booking_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

func TestHoldRefusesSeatHeldByOther(t *testing.T) {
	w := newWorld(t, 2, nil)
	first := w.hold(t, at(1, 3), at(2, 3))
	_, _, err := w.replicas[1].Hold(t.Context(), w.ask(at(1, 2), at(2, 3)))
	r := wantRefusal(t, err, booking.SeatsTaken)
	if diff := cmp.Diff([]booking.SeatID{at(2, 3)}, r.Seats); diff != "" {
		t.Error(diff)
	}
	want := map[booking.SeatID]uuid.UUID{at(1, 3): first.ID, at(2, 3): first.ID}
	if diff := cmp.Diff(want, w.owners(t)); diff != "" {
		t.Errorf("the loser left something: %s", diff)
	}
}

func TestManyBuyersAcrossReplicasNeverShareASeat(t *testing.T) {
	w := newWorld(t, 3, nil)
	var mu sync.Mutex
	var won []booking.Booking
	var group sync.WaitGroup
	for i := range 300 {
		group.Go(func() {
			// Wishes of 1 to 3 seats in both blocks, overlapping in every way.
			var seats []booking.SeatID
			for k := range 1 + i%3 {
				seats = append(seats, at(1+(i+k)%2, (i*7+k*5)%20))
			}
			b, _, err := w.replicas[i%3].Hold(t.Context(), w.ask(seats...))
			var r *booking.Refusal
			if err != nil && !errors.As(err, &r) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				won = append(won, b)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	want := map[booking.SeatID]uuid.UUID{}
	for _, b := range won {
		for _, s := range b.Seats {
			if other, twice := want[s.ID]; twice {
				t.Errorf("seat %s was given to %s and %s", s.ID, other, b.ID)
			}
			want[s.ID] = b.ID
		}
	}
	if diff := cmp.Diff(want, w.owners(t)); diff != "" || len(won) == 0 {
		t.Errorf("%d won; owners: %s", len(won), diff)
	}
}

func TestHoldsThatArriveTogetherShareARound(t *testing.T) {
	w := newWorld(t, 1, nil)
	release := w.stall(t)
	before := w.store.Rounds()
	w.outbox.Fail(errors.New("quiet: no rounds but those of the holds"))
	var group sync.WaitGroup
	for i := 1; i < 20; i++ {
		group.Go(func() { w.hold(t, at(1, i)) })
	}
	testkit.Eventually(t, "the others wait for the next round", func() bool { return w.replicas[0].Waiting(booking.BlockID{Event: w.def.EventID, Block: 1}) == 19 })
	release()
	group.Wait()
	if rounds := w.store.Rounds() - before; rounds != 2 {
		t.Errorf("20 holds took %d rounds", rounds)
	}
}

func TestRivalsThatArriveTogetherHaveOneWinner(t *testing.T) {
	w := newWorld(t, 1, nil)
	release := w.stall(t)
	var won, lost atomic.Int32
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			_, _, err := w.replicas[0].Hold(t.Context(), w.ask(at(1, 5), at(1, 6)))
			if err == nil {
				won.Add(1)
				return
			}
			if r := wantRefusal(t, err, booking.SeatsTaken); len(r.Seats) > 0 {
				lost.Add(1)
			}
		})
	}
	testkit.Eventually(t, "the others wait for the next round", func() bool { return w.replicas[0].Waiting(booking.BlockID{Event: w.def.EventID, Block: 1}) == 10 })
	release()
	group.Wait()
	if won.Load() != 1 || lost.Load() != 9 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}

func TestLoserOfALaterBlockClosesItsIDAndGivesBack(t *testing.T) {
	w := newWorld(t, 1, func(e *events.EventChanged) { e.Blocks = append(e.Blocks, e.Blocks[0]) })
	other := w.hold(t, at(3, 0))
	req := w.ask(at(1, 0), at(2, 0), at(3, 0))
	req.Key, req.Hash = "k", []byte("h")
	for range 2 { // the second time the closed id answers
		_, _, err := w.replicas[0].Hold(t.Context(), req)
		if r := wantRefusal(t, err, booking.SeatsTaken); len(r.Seats) == 0 {
			t.Error("the refusal names no seat")
		}
	}
	if diff := cmp.Diff(map[booking.SeatID]uuid.UUID{at(3, 0): other.ID}, w.owners(t)); diff != "" {
		t.Error(diff)
	}
	ref, _, found, err := w.store.FindKey(t.Context(), req.User, "k")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if rec, err := w.store.ReadBooking(t.Context(), ref, true); err != nil || rec.Status != booking.Refused {
		t.Errorf("the id is open to a late write: %+v %v", rec, err)
	}
}

func TestRoundOfUnknownOutcomeIsSentAgain(t *testing.T) {
	for name, fault := range map[string]bookingtest.Fault{"the answer was lost": bookingtest.LostAnswer, "the request was lost": bookingtest.LostRequest} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, nil)
			var left atomic.Int32
			left.Store(3)
			w.store.Fail(func(booking.BlockID, []booking.Change) bookingtest.Fault {
				if left.Add(-1) >= 0 {
					return fault
				}
				return bookingtest.None
			})
			b := w.hold(t, at(1, 0), at(2, 0))
			want := map[booking.SeatID]uuid.UUID{at(1, 0): b.ID, at(2, 0): b.ID}
			if diff := cmp.Diff(want, w.owners(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHoldThatDiedBetweenBlocksIsGivenBack(t *testing.T) {
	w := newWorld(t, 2, nil)
	home := booking.BlockID{Event: w.def.EventID, Block: 1}
	w.store.Fail(func(id booking.BlockID, _ []booking.Change) bookingtest.Fault {
		if id == home {
			return bookingtest.NotDone
		}
		return bookingtest.None
	})
	if _, _, err := w.replicas[0].Hold(t.Context(), w.ask(at(1, 0), at(2, 0))); err == nil {
		t.Fatal("held without its booking")
	}
	w.store.Fail(nil)
	if len(w.owners(t)) != 1 {
		t.Fatalf("owners: %v", w.owners(t))
	}
	w.sweep(t)
	if len(w.owners(t)) != 1 {
		t.Error("the seat was given back before its deadline")
	}
	w.clock.Advance(61 * time.Second)
	w.sweep(t)
	if owners := w.owners(t); len(owners) != 0 {
		t.Errorf("owners after the deadline: %v", owners)
	}
}

func TestBuyerLimitCountsInTheStoreWhenTheLocksAreCold(t *testing.T) {
	w := newWorld(t, 1, func(e *events.EventChanged) { e.MaxSeatsPerBuyer = 3 })
	req := w.ask(at(1, 0), at(1, 1))
	if _, _, err := w.replicas[0].Hold(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	req.Seats = []booking.SeatID{at(2, 0), at(2, 1)}
	_, _, err := w.replicas[0].Hold(t.Context(), req)
	if r := wantRefusal(t, err, booking.BuyerLimit); r.Held != 2 || r.Limit != 3 {
		t.Errorf("%+v", r)
	}
}

func TestSaleOpenedByAnotherReplicaIsFoundAtOnce(t *testing.T) {
	w := newWorld(t, 1, nil)
	inv := booking.NewInventory(w.store)
	fresh := booking.NewService(w.store, bookingtest.ColdLocks{}, w.outbox,
		booking.NewCommitter(w.store, inv, bookingtest.NoFeed{}, "fresh"), inv, w.clock)
	if _, _, err := fresh.Hold(t.Context(), w.ask(at(1, 0))); err != nil {
		t.Error(err)
	}
}
