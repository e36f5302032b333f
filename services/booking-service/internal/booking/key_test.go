package booking_test

import (
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
	if err := w.replicas[1].CorrectNow(t.Context()); err != nil {
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
	if err := w.replicas[1].CorrectNow(t.Context()); err != nil {
		t.Fatal(err) // else it might find the seats of the first attempt, and make the same booking of them
	}
	_, _, again := w.replicas[1].Hold(t.Context(), req)
	if r := wantRefusal(t, again, booking.NotEnoughSeats); len(r.Seats) > 0 {
		t.Errorf("seats were named that nobody asked for: %v", r.Seats)
	}
	close(gate)
	if err := <-late; err == nil {
		t.Error("refused, and then held all the same")
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
				testkit.Eventually(t, "only the booking's own seats are held", func() bool { return cmp.Equal(want, w.owners(t)) })
			}
		})
	}
}
