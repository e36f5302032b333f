package booking_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

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
		if err := w.replicas[1].CorrectNow(t.Context()); err != nil {
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
	testkit.Eventually(t, "the sent messages leave the outbox", func() bool {
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

func TestForgottenHoldEndsWithoutALeader(t *testing.T) {
	w := newWorld(t, 2, nil)
	b := w.hold(t, at(1, 0), at(2, 0))
	if err := w.replicas[1].CorrectNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  booking.Status
	}{{61 * time.Second, booking.Held}, {3 * time.Second, booking.Expired}} {
		w.clock.Advance(c.after)
		if err := w.replicas[1].SweepForgotten(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.status(t, b); got.Status != c.want {
			t.Errorf("%s later: %s, want %s", c.after, got.Status, c.want)
		}
	}
	if owners := w.owners(t); len(owners) != 0 {
		t.Errorf("owners: %v", owners)
	}
}
