package e2e

import (
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestCancelledEventRefundsEverybody(t *testing.T) {
	s := newSale(t, nil)
	buyers := newBuyers(t, 6)
	bookings := make([]client.Booking, len(buyers))
	for i, buyer := range buyers {
		if i%3 == 2 {
			bookings[i] = hold(t, buyer, s.best("front", 2))
		} else {
			bookings[i] = buy(t, buyer, s.best("front", 2))
		}
	}
	cancelled := must(s.organizer.CancelEvent(t.Context(), s.event.ID, "The hall is flooded."))(t)
	if cancelled.Status != "cancelled" {
		t.Errorf("the event is %s", cancelled.Status)
	}
	if repeated := must(s.organizer.CancelEvent(t.Context(), s.event.ID, "Again."))(t); repeated.Status != "cancelled" {
		t.Errorf("repeated: %s", repeated.Status)
	}
	for i, buyer := range buyers {
		booking := awaitBooking(t, buyer, bookings[i].ID, "cancelled")
		if booking.Reason != "event_cancelled" {
			t.Errorf("the reason is %s", booking.Reason)
		}
		if bookings[i].Status == "confirmed" {
			awaitRefund(t, buyer, booking.ID)
		}
	}
	testkit.Eventually(t, "a hold is refused", func() bool {
		_, err := buyers[0].Hold(t.Context(), s.seats("1-90"), "")
		return client.IsCode(err, "event_not_on_sale")
	})
	checkLedger(t, s, 0)
}

// The first buyer pays in the last second with a method that takes three;
// meanwhile the hold ends and another buyer takes the seats. If a busy machine
// breaks that order, the test retries with the next pair of seats.
func TestLatePaymentOfLostSeatsIsRefundedAndBothBookingsSayWhy(t *testing.T) {
	s := newSale(t, func(e *client.NewEvent) { e.HoldSeconds = 5 })
	for attempt := range 5 {
		first, second := newBuyer(t), newBuyer(t)
		seats := s.seats(seatID(1, 2*attempt), seatID(1, 2*attempt+1))
		late := hold(t, first, seats)
		at(t, late.ExpiresAt.Add(-time.Second))
		payment, err := first.Pay(t.Context(), late.ID, "pm_slow", "")
		if client.IsCode(err, "booking_not_payable") {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		winner, ok := holdOnceFree(t, second, seats, first, late.ID)
		if !ok {
			continue
		}
		pay(t, second, winner.ID, "pm_ok")
		won := awaitBooking(t, second, winner.ID, "confirmed")
		if won.Payment.Status != "succeeded" {
			t.Errorf("the second buyer's payment: %+v", won.Payment)
		}
		refunded := awaitPayment(t, first, payment.ID, "refunded")
		if refunded.RefundedAt.IsZero() {
			t.Error("the refund has no time")
		}
		lost := awaitRefund(t, first, late.ID)
		if lost.Status != "expired" || (lost.Reason != "expired" && lost.Reason != "payment_late") {
			t.Errorf("the first booking is %s, because %s", lost.Status, lost.Reason)
		}
		checkLedger(t, s, 2*frontPrice)
		return
	}
	t.Fatal("in five attempts the payment was never late: is the machine very busy?")
}

// holdOnceFree holds seats as soon as their hold has ended; it returns false if
// that was confirmed instead.
func holdOnceFree(t *testing.T, buyer account, seats client.NewBooking, holder account, heldID string) (booking client.Booking, won bool) {
	t.Helper()
	testkit.Eventually(t, "the seats are free", func() bool {
		var err error
		if booking, err = buyer.Hold(t.Context(), seats, ""); err == nil {
			won = true
			return true
		}
		wantCode(t, err, 409, "seats_taken")
		return must(holder.Booking(t.Context(), heldID))(t).Status == "confirmed"
	})
	return booking, won
}

// at waits until a point in time, such as the deadline of a hold.
func at(t *testing.T, moment time.Time) {
	t.Helper()
	select {
	case <-time.After(time.Until(moment)):
	case <-t.Context().Done():
	}
}

func TestPriceChangeDoesNotTouchWhatIsHeld(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	before := hold(t, buyer, s.seats("1-0"))
	types := []map[string]any{
		{"id": "front", "name": "Front", "category": "front", "price": 2 * frontPrice},
		{"id": "rear", "name": "Rear", "category": "rear", "price": rearPrice},
		{"id": "floor", "name": "Floor", "category": "floor", "price": floorPrice},
	}
	event := must(s.organizer.Event(t.Context(), s.event.ID))(t)
	must(s.organizer.PatchEvent(t.Context(), event.ID, event.Version, map[string]any{"ticket_types": types}))(t)
	testkit.Eventually(t, "new holds cost the new price", func() bool {
		b := hold(t, newBuyer(t), s.best("front", 1))
		return b.Total.Amount == 2*frontPrice
	})
	pay(t, buyer, before.ID, "pm_ok")
	if b := awaitBooking(t, buyer, before.ID, "confirmed"); b.Total.Amount != frontPrice {
		t.Errorf("the held seat costs %d, want %d", b.Total.Amount, frontPrice)
	}
	checkLedger(t, s, frontPrice)
}
