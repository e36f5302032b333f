package booking_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		if err := s.Correct(t.Context()); err != nil {
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
	waitFor(t, func() bool { return w.replicas[0].Waiting(booking.BlockID{Event: w.def.EventID, Block: 1}) == 19 })
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
	waitFor(t, func() bool { return w.replicas[0].Waiting(booking.BlockID{Event: w.def.EventID, Block: 1}) == 10 })
	release()
	group.Wait()
	if won.Load() != 1 || lost.Load() != 9 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
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

func TestTwinThatChoseOtherSeatsGivesThemBack(t *testing.T) {
	w := newWorld(t, 2, nil)
	req := booking.HoldRequest{User: uuid.Must(uuid.NewV7()), Event: w.def.EventID, TicketType: "stalls", Quantity: 2, Key: "k", Hash: []byte("h")}
	home, seats := booking.BlockID{}, 0
	// The first attempt has its seats, and stops before its booking's row.
	w.store.Fail(func(id booking.BlockID, changes []booking.Change) bookingtest.Fault {
		if changes[0].Booking != nil {
			home, seats = id, len(changes[0].Seats)
			return bookingtest.NotDone
		}
		return bookingtest.None
	})
	if _, _, err := w.replicas[0].Hold(t.Context(), req); err == nil {
		t.Fatal("held without its booking")
	}
	w.store.Fail(nil)
	if err := w.replicas[1].Correct(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, _, err := w.replicas[1].Hold(t.Context(), req)
	if err != nil || b.Home != home {
		t.Fatalf("home %v, first attempt's %v (%d seats with it), error %v", b.Home, home, seats, err)
	}
	w.clock.Advance(59 * time.Second)
	if err := w.replicas[0].PaymentConfirmed(t.Context(), w.paid(b)); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Second)
	w.sweep(t)
	want := map[booking.SeatID]uuid.UUID{b.Seats[0].ID: b.ID, b.Seats[1].ID: b.ID}
	if diff := cmp.Diff(want, w.owners(t)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusalUnderAKeyIsFinalForAttemptsStillUnderWay(t *testing.T) {
	w := newWorld(t, 2, func(e *events.EventChanged) { e.MaxSeatsPerBuyer = 20 })
	req := booking.HoldRequest{User: uuid.Must(uuid.NewV7()), Event: w.def.EventID, TicketType: "stalls", Quantity: 10, Key: "k", Hash: []byte("h")}
	// The first attempt hangs before its booking's row is written.
	gate, entered := make(chan struct{}), make(chan struct{})
	var hung atomic.Bool
	w.store.Fail(func(_ booking.BlockID, changes []booking.Change) bookingtest.Fault {
		if changes[0].Booking != nil && hung.CompareAndSwap(false, true) {
			close(entered)
			<-gate
		}
		return bookingtest.None
	})
	late := make(chan error, 1)
	go func() {
		_, _, err := w.replicas[0].Hold(t.Context(), req)
		late <- err
	}()
	<-entered
	// Meanwhile everything else is sold, and the client asks again.
	for block := 1; block <= 2; block++ {
		var free []booking.SeatID
		for i := range 20 {
			if _, taken := w.owners(t)[at(block, i)]; !taken {
				free = append(free, at(block, i))
			}
		}
		if _, _, err := w.replicas[1].Hold(t.Context(), w.ask(free...)); err != nil {
			t.Fatal(err)
		}
	}
	_, _, again := w.replicas[1].Hold(t.Context(), req)
	wantRefusal(t, again, booking.NotEnoughSeats)
	close(gate)
	if err := <-late; err == nil {
		t.Error("refused, and then held all the same")
	}
}

func TestUnknownOutcomeIsResolvedByReading(t *testing.T) {
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

func TestSameKeyIsOneBookingOnAllReplicas(t *testing.T) {
	for name, req := range map[string]booking.HoldRequest{
		"seats": {Seats: []booking.SeatID{at(1, 0), at(2, 5)}}, "best": {TicketType: "stalls", Quantity: 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 3, nil)
			req.User, req.Event, req.Key, req.Hash = uuid.Must(uuid.NewV7()), w.def.EventID, "k", []byte("h")
			var mu sync.Mutex
			ids := map[uuid.UUID]int{}
			var group sync.WaitGroup
			for i := range 30 {
				group.Go(func() {
					b, _, err := w.replicas[i%3].Hold(t.Context(), req)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					ids[b.ID]++
				})
			}
			group.Wait()
			if len(ids) != 1 {
				t.Fatalf("bookings: %v", ids)
			}
			for id := range ids {
				rec, err := w.replicas[0].Get(t.Context(), req.User, id)
				if err != nil {
					t.Fatal(err)
				}
				want := map[booking.SeatID]uuid.UUID{}
				for _, s := range rec.Seats {
					want[s.ID] = id
				}
				// Seats that a twin took beyond the booking's own are given back.
				waitFor(t, func() bool { return cmp.Equal(want, w.owners(t)) })
			}
		})
	}
}

func TestConfirmAndExpiryHaveOneWinner(t *testing.T) {
	for i := range 50 {
		w := newWorld(t, 2, nil)
		b := w.hold(t, at(1, 0), at(2, 0))
		w.clock.Advance(61 * time.Second)
		var group sync.WaitGroup
		group.Go(func() {
			if err := w.replicas[0].PaymentConfirmed(t.Context(), w.paid(b)); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() { w.sweep(t) })
		group.Wait()
		got, owners := w.status(t, b), w.owners(t)
		switch got.Status {
		case booking.Confirmed:
			if len(owners) != 2 {
				t.Fatalf("round %d: confirmed with %v", i, owners)
			}
		case booking.Expired:
			if len(owners) != 0 || got.Payment == nil || got.Payment.Status != booking.PaymentRefunding {
				t.Fatalf("round %d: expired with %v, payment %+v", i, owners, got.Payment)
			}
		default:
			t.Fatalf("round %d: %s", i, got.Status)
		}
	}
}

func TestPaymentAfterTheDeadlineConfirmsWhatIsStillOwned(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := w.hold(t, at(1, 0))
	w.clock.Advance(61 * time.Second)
	paid := w.paid(b)
	for range 2 {
		if err := w.replicas[0].PaymentConfirmed(t.Context(), paid); err != nil {
			t.Fatal(err)
		}
	}
	w.sweep(t)
	if got := w.status(t, b); got.Status != booking.Confirmed {
		t.Errorf("status %s", got.Status)
	}
}

func TestLatePaymentOfALostHoldIsRefundedAndOthersKeepTheirSeats(t *testing.T) {
	w := newWorld(t, 1, nil)
	first := w.hold(t, at(1, 0))
	w.clock.Advance(61 * time.Second)
	second := w.hold(t, at(1, 0)) // ends the overdue hold in its way by itself
	paid := w.paid(first)
	for range 2 {
		if err := w.replicas[0].PaymentConfirmed(t.Context(), paid); err != nil {
			t.Fatal(err)
		}
	}
	got := w.status(t, first)
	if got.Status != booking.Expired || got.Reason != events.HoldExpired || got.Payment.Status != booking.PaymentRefunding {
		t.Errorf("first: %+v", got)
	}
	if diff := cmp.Diff(map[booking.SeatID]uuid.UUID{at(1, 0): second.ID}, w.owners(t)); diff != "" {
		t.Error(diff)
	}
	want := []string{events.TypeBookingCreated, events.TypeBookingCancelled, events.TypeBookingCreated, events.TypeBookingCancelled}
	if diff := cmp.Diff(want, w.outbox.Sent()); diff != "" {
		t.Error(diff)
	}
}

func TestDeclinedHoldEndsAsPaymentFailed(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := w.hold(t, at(1, 0))
	declined := events.PaymentFailed{PaymentID: uuid.Must(uuid.NewV7()), BookingID: b.ID, EventID: w.def.EventID, HomeBlock: 1, FailureCode: "card_declined"}
	if err := w.replicas[0].PaymentFailed(t.Context(), declined); err != nil {
		t.Fatal(err)
	}
	if got := w.status(t, b); got.Status != booking.Held || got.Payment.FailureCode != "card_declined" {
		t.Errorf("after the decline: %+v", got)
	}
	w.clock.Advance(61 * time.Second)
	w.sweep(t)
	if got := w.status(t, b); got.Status != booking.PaymentFailed || len(w.owners(t)) != 0 {
		t.Errorf("after the deadline: %+v", got)
	}
}

func TestMessagesOfADeadProcessAreSentByTheSweep(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.outbox.Fail(errors.New("kafka is down"))
	b := w.hold(t, at(1, 0))
	sweep := func() {
		t.Helper()
		if err := w.replicas[1].Correct(t.Context()); err != nil {
			t.Fatal(err)
		}
		for shard := range booking.Shards {
			if err := w.replicas[1].NewOutboxSweep(shard).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	sweep()
	w.outbox.Fail(nil)
	w.clock.Advance(4 * time.Second)
	sweep()
	if diff := cmp.Diff([]string{events.TypeBookingCreated}, w.outbox.Sent()); diff != "" {
		t.Fatal(diff)
	}
	waitFor(t, func() bool {
		rec, err := w.store.ReadBooking(context.Background(), b.Ref(), true)
		return err == nil && len(rec.Outbox) == 0
	})
}

func TestCancelledEventLeavesNoSeatAndNoLiveBooking(t *testing.T) {
	w := newWorld(t, 2, nil)
	held, sold := w.hold(t, at(1, 0), at(2, 0)), w.hold(t, at(2, 5))
	if err := w.replicas[0].PaymentConfirmed(t.Context(), w.paid(sold)); err != nil {
		t.Fatal(err)
	}
	w.def.Version, w.def.Status = 2, events.EventEnded
	var group sync.WaitGroup
	for i := range 20 { // the other replica has not heard
		group.Go(func() { _, _, _ = w.replicas[1].Hold(context.Background(), w.ask(at(1+i%2, i))) })
	}
	group.Go(func() {
		if err := w.replicas[0].Changed(t.Context(), w.def); err != nil {
			t.Error(err)
		}
	})
	group.Wait()
	for seat, owner := range w.owners(t) {
		if owner != booking.NotForSale {
			t.Errorf("seat %s belongs to %s", seat, owner)
		}
	}
	if n := len(w.owners(t)); n != 40 {
		t.Errorf("%d seats are off sale, not 40", n)
	}
	for _, b := range []booking.Booking{held, sold} {
		if got := w.status(t, b); got.Status != booking.Cancelled || got.Reason != events.EventCancelled {
			t.Errorf("booking: %+v", got)
		}
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

func TestBestSeatsAreNeighboursAndLeaveNoOrphan(t *testing.T) {
	for name, c := range map[string]struct {
		taken []int // in block 1, rows of 0-9 and 10-19
		n     int
		want  []int
	}{
		"middle of the first row":            {nil, 2, []int{4, 5}},
		"an odd number":                      {nil, 3, []int{3, 4, 5}},
		"next to those taken, not one apart": {[]int{4, 5}, 2, []int{2, 3}},
		"a gap that fits":                    {[]int{0, 1, 4, 5, 6, 7, 8, 9}, 2, []int{2, 3}},
		"the next row rather than an orphan": {[]int{0, 1, 2, 6, 7, 8, 9}, 2, []int{14, 15}},
		"the whole row":                      {[]int{5}, 10, []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, func(e *events.EventChanged) { e.MaxSeatsPerBuyer = 20 })
			if len(c.taken) > 0 {
				var seats []booking.SeatID
				for _, i := range c.taken {
					seats = append(seats, at(1, i))
				}
				w.hold(t, seats...)
			}
			b, _, err := w.replicas[0].Hold(t.Context(), booking.HoldRequest{
				User: uuid.Must(uuid.NewV7()), Event: w.def.EventID, TicketType: "stalls", Quantity: c.n,
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, s := range b.Seats {
				got = append(got, s.ID.Index)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBestSeatsSellTheHouseToManyAtOnce(t *testing.T) {
	w := newWorld(t, 3, nil)
	var group sync.WaitGroup
	var mu sync.Mutex
	sold := 0
	for i := range 40 {
		group.Go(func() {
			b, _, err := w.replicas[i%3].Hold(t.Context(), booking.HoldRequest{
				User: uuid.Must(uuid.NewV7()), Event: w.def.EventID, TicketType: "stalls", Quantity: 2,
			})
			var r *booking.Refusal
			if err != nil && !errors.As(err, &r) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sold += len(b.Seats)
		})
	}
	group.Wait()
	if n := len(w.owners(t)); n != sold || sold < 30 {
		t.Errorf("%d seats promised, %d owned", sold, n)
	}
}

func TestSeatIDHasOneSpelling(t *testing.T) {
	for _, text := range []string{"1-0", "12-45", "999999-299"} {
		if id, err := booking.ParseSeatID(text); err != nil || id.String() != text {
			t.Errorf("%s: %v %v", text, id, err)
		}
	}
	for _, text := range []string{"", "1", "0-1", "01-1", "1-01", "1-300", "-1-2", "+1-2", "1- 2", "1-2-3", "1000000-1", "a-b"} {
		if id, err := booking.ParseSeatID(text); err == nil {
			t.Errorf("%q was read as %v", text, id)
		}
	}
}

func TestPlanThatContradictsItselfIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*events.EventChanged){
		"blocked seat outside its row": func(e *events.EventChanged) { e.Blocks[0].Rows[0].Blocked = []int{10} },
		"numbers of other length":      func(e *events.EventChanged) { e.Blocks[0].Rows[0].Numbers = []string{"1"} },
		"block too large":              func(e *events.EventChanged) { e.Blocks[0].Rows[0].Runs[0].Count = 400 },
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

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited a minute in vain")
		}
	}
}

func TestPaymentForABookingThatIsNotStored(t *testing.T) {
	w := newWorld(t, 1, nil)
	stranger := booking.Booking{ID: uuid.Must(uuid.NewV7()), Home: booking.BlockID{Event: w.def.EventID, Block: 1}}
	if err := w.replicas[0].PaymentConfirmed(t.Context(), w.paid(stranger)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{events.TypeBookingCancelled}, w.outbox.Sent()); diff != "" {
		t.Errorf("the money must go back: %s", diff)
	}
	stranger.Home.Event = uuid.Must(uuid.NewV7())
	if err := w.replicas[0].PaymentConfirmed(t.Context(), w.paid(stranger)); !errors.Is(err, booking.ErrNoBlock) {
		t.Errorf("an event nobody knows: %v", err)
	}
}

func TestMessagesFollowTheirSchemas(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := w.hold(t, at(1, 0))
	if _, err := w.replicas[0].Cancel(t.Context(), b.UserID, b.ID); err != nil {
		t.Fatal(err)
	}
	sent := w.outbox.Messages()
	if len(sent) < 2 {
		t.Fatalf("%d messages", len(sent))
	}
	for _, m := range sent {
		if err := events.Validate(m.Type, m.Data); err != nil {
			t.Errorf("%s: %v\n%s", m.Type, err, m.Data)
		}
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
