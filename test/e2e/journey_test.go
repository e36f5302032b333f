package e2e

import (
	"bytes"
	"image/png"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestBuyerGoesFromRegistrationToTicket(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	ctx := t.Context()

	if event := must(buyer.Event(ctx, s.event.ID))(t); event.Status != "published" {
		t.Errorf("the event is %s, want published", event.Status)
	}
	booking := must(buyer.Hold(ctx, s.seats("1-0", "1-1"), ""))(t)
	if booking.Status != "held" || booking.Total.Amount != 2*frontPrice || !booking.ExpiresAt.After(booking.CreatedAt) {
		t.Errorf("held: %+v", booking)
	}
	s.awaitStates(t, "1", "hha… while held", beginning("hha"))
	if _, err := buyer.Tickets(ctx, booking.ID); !client.IsCode(err, "booking_not_confirmed") {
		t.Errorf("tickets of a held booking: %v", err)
	}
	payment := must(buyer.Pay(ctx, booking.ID, "pm_ok", ""))(t)
	if payment.Amount != booking.Total {
		t.Errorf("the payment is about %v, the booking %v", payment.Amount, booking.Total)
	}
	booking = awaitBooking(t, buyer, booking.ID, "confirmed")
	if booking.ConfirmedAt.IsZero() || booking.Payment.Status != "succeeded" || booking.Payment.ID != payment.ID {
		t.Errorf("confirmed: %+v", booking)
	}
	awaitPayment(t, buyer, payment.ID, "succeeded")
	s.awaitStates(t, "1", "ssa… when sold", beginning("ssa"))
	checkTickets(t, buyer, booking)
	checkLedger(t, s, 2*frontPrice)
}

// checkTickets reads the tickets twice: they must not change, and the QR code
// must contain the code.
func checkTickets(t *testing.T, buyer account, booking client.Booking) {
	t.Helper()
	tickets := must(buyer.Tickets(t.Context(), booking.ID))(t)
	again := must(buyer.Tickets(t.Context(), booking.ID))(t)
	if len(tickets) != len(booking.Seats) {
		t.Fatalf("%d tickets for %d seats", len(tickets), len(booking.Seats))
	}
	for i, ticket := range tickets {
		if !slices.Contains(booking.SeatIDs(), ticket.SeatID) {
			t.Errorf("a ticket for seat %s, which is not of the booking", ticket.SeatID)
		}
		if again[i].Code != ticket.Code {
			t.Errorf("the code of seat %s changed from %s to %s", ticket.SeatID, ticket.Code, again[i].Code)
		}
		if got := decodeQR(t, ticket.QRPNG); got != ticket.Code {
			t.Errorf("the QR code says %q, the ticket %q", got, ticket.Code)
		}
	}
	if len(tickets) > 1 && tickets[0].Code == tickets[1].Code {
		t.Error("two seats have the same code")
	}
}

func decodeQR(t *testing.T, picture []byte) string {
	t.Helper()
	image := must(png.Decode(bytes.NewReader(picture)))(t)
	bitmap := must(gozxing.NewBinaryBitmapFromImage(image))(t)
	return must(qrcode.NewQRCodeReader().Decode(bitmap, nil))(t).GetText()
}

func TestDeclinedPaymentLeavesTheHoldForAnotherTry(t *testing.T) {
	s := newSale(t, nil)
	for method, failure := range map[string]string{"pm_declined": "card_declined", "pm_insufficient_funds": "insufficient_funds"} {
		t.Run(method, func(t *testing.T) {
			buyer := newBuyer(t)
			booking := hold(t, buyer, s.best("front", 2))
			declined := pay(t, buyer, booking.ID, method)
			if p := awaitPayment(t, buyer, declined.ID, "failed"); p.FailureCode != failure {
				t.Errorf("the payment failed with %q, want %q", p.FailureCode, failure)
			}
			after := awaitBookingIs(t, buyer, booking.ID, "told of the decline", func(b client.Booking) bool {
				return b.Payment.Status == "failed"
			})
			if after.Status != "held" {
				t.Fatalf("after the decline the booking is %s, want held", after.Status)
			}
			pay(t, buyer, booking.ID, "pm_ok")
			awaitBooking(t, buyer, booking.ID, "confirmed")
		})
	}
	checkLedger(t, s, 4*frontPrice)
}

func TestEveryPaymentMethodThatCapturesConfirms(t *testing.T) {
	s := newSale(t, nil)
	for _, method := range []string{"pm_ok", "pm_slow", "pm_unknown", "pm_duplicate_webhook"} {
		t.Run(method, func(t *testing.T) {
			buyer := newBuyer(t)
			booking := hold(t, buyer, s.best("rear", 1))
			payment := pay(t, buyer, booking.ID, method)
			awaitBooking(t, buyer, booking.ID, "confirmed")
			awaitPayment(t, buyer, payment.ID, "succeeded")
			if _, err := buyer.Pay(t.Context(), booking.ID, "pm_ok", ""); !client.IsCode(err, "already_paid") && !client.IsCode(err, "booking_not_payable") {
				t.Errorf("paying a second time: %v", err)
			}
		})
	}
	checkLedger(t, s, 4*rearPrice)
}

func TestCancelledBookingIsRefundedAndItsSeatsSoldAgain(t *testing.T) {
	s := newSale(t, nil)
	first, second := newBuyer(t), newBuyer(t)
	booking := buy(t, first, s.seats("1-5"))
	cancelled := must(first.CancelBooking(t.Context(), booking.ID))(t)
	if cancelled.Status != "cancelled" || cancelled.Reason != "cancelled_by_buyer" {
		t.Errorf("cancelled: %s, %s", cancelled.Status, cancelled.Reason)
	}
	if repeated := must(first.CancelBooking(t.Context(), booking.ID))(t); repeated.Status != "cancelled" {
		t.Errorf("repeated: %s", repeated.Status)
	}
	buy(t, second, s.seats("1-5"))
	awaitRefund(t, first, booking.ID)
	if _, err := first.Tickets(t.Context(), booking.ID); !client.IsCode(err, "booking_not_confirmed") {
		t.Errorf("tickets of a cancelled booking: %v", err)
	}
	checkLedger(t, s, frontPrice)
}

func TestEventIsFoundBySearchDateAndPage(t *testing.T) {
	name := "Serenade " + newKey()
	s := newSale(t, func(e *client.NewEvent) { e.Name = name })
	other := newSale(t, func(e *client.NewEvent) {
		e.Name, e.StartsAt, e.EndsAt = name, e.StartsAt.AddDate(0, 1, 0), e.EndsAt.AddDate(0, 1, 0)
	})
	c := visitor()
	list := func(query url.Values) client.EventPage { return must(c.Events(t.Context(), query))(t) }

	if page := list(url.Values{"q": {name}}); len(page.Items) != 2 || page.Items[0].ID != s.event.ID || page.NextCursor != "" {
		t.Errorf("search found %d, cursor %q", len(page.Items), page.NextCursor)
	}
	first := list(url.Values{"q": {name}, "limit": {"1"}})
	if len(first.Items) != 1 || first.NextCursor == "" {
		t.Fatalf("the first page of one: %d, cursor %q", len(first.Items), first.NextCursor)
	}
	if second := list(url.Values{"q": {name}, "limit": {"1"}, "cursor": {first.NextCursor}}); len(second.Items) != 1 || second.Items[0].ID != other.event.ID {
		t.Errorf("the second page: %+v", second)
	}
	from := other.event.StartsAt.Format("2006-01-02T15:04:05Z")
	if page := list(url.Values{"q": {name}, "from": {from}}); len(page.Items) != 1 || page.Items[0].ID != other.event.ID {
		t.Errorf("from %s: %d events", from, len(page.Items))
	}
	if page := list(url.Values{"q": {name}, "to": {from}}); len(page.Items) != 1 || page.Items[0].ID != s.event.ID {
		t.Errorf("to %s: %d events", from, len(page.Items))
	}
}

func TestSoldOutEventIsMarkedAndReopens(t *testing.T) {
	s := newSaleIn(t, plan(1, 2), func(e *client.NewEvent) {
		e.TicketTypes = e.TicketTypes[:1] // only the two seats in front are for sale
	})
	buyer := newBuyer(t)
	booking := buy(t, buyer, s.best("front", 2))
	awaitEvent(t, s.event.ID, "sold_out")
	must(buyer.CancelBooking(t.Context(), booking.ID))(t)
	awaitEvent(t, s.event.ID, "published")
}

func TestContractIsServed(t *testing.T) {
	resp := must(visitor().Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/openapi.yaml"}))(t)
	if resp.Status != http.StatusOK || !bytes.HasPrefix(resp.Body, []byte("openapi: 3.1")) {
		t.Errorf("%d: %.40s", resp.Status, resp.Body)
	}
}
