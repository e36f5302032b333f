package payment

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestDomainImportsNoDriver(t *testing.T) {
	testkit.AssertNoDrivers(t, "github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment")
}

var (
	user  = uuid.New()
	now   = time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)
	price = events.Money{Amount: 4200, Currency: "EUR"}
)

func open() *Purchase {
	return &Purchase{Booking: Booking{ID: uuid.New(), EventID: uuid.New(), UserID: user, Total: price, ExpiresAt: now.Add(time.Minute)}}
}

func start(t *testing.T, p *Purchase) *Payment {
	t.Helper()
	pay, err := p.Start(uuid.New(), user, "pm_ok", now)
	if err != nil {
		t.Fatal(err)
	}
	return pay
}

func TestPurchase(t *testing.T) {
	capture := func(t *testing.T, p *Purchase, pay *Payment) {
		t.Helper()
		if err := p.Capture(pay.ID, "ch", price, now); err != nil {
			t.Fatal(err)
		}
	}
	decline := func(_ *testing.T, p *Purchase, pay *Payment) { p.Decline(pay.ID, "card_declined", now) }
	cancel := func(_ *testing.T, p *Purchase, _ *Payment) {
		if !p.Booking.Cancelled() {
			p.Booking.CancelReason = events.CancelledByBuyer
		}
		p.RefundIfCancelled()
	}
	refunded := func(_ *testing.T, p *Purchase, pay *Payment) { p.Refunded(pay.ID, now) }
	another := func(t *testing.T, p *Purchase, _ *Payment) { start(t, p) }
	type step = func(*testing.T, *Purchase, *Payment)
	for name, tc := range map[string]struct {
		steps   []step
		status  Status
		failure string
		refunds int
		events  string
	}{
		"captured":                               {[]step{capture}, Succeeded, "", 0, "[PaymentConfirmed]"},
		"captured twice":                         {[]step{capture, capture}, Succeeded, "", 0, "[PaymentConfirmed]"},
		"declined":                               {[]step{decline}, Failed, "card_declined", 0, "[PaymentFailed]"},
		"declined twice":                         {[]step{decline, decline}, Failed, "card_declined", 0, "[PaymentFailed]"},
		"declined after a capture":               {[]step{capture, decline}, Succeeded, "", 0, "[PaymentConfirmed]"},
		"cancelled while processing":             {[]step{cancel}, Processing, "", 0, "[]"},
		"captured after a cancellation":          {[]step{cancel, capture}, Refunding, BookingEnded, 1, "[]"},
		"captured twice after a cancellation":    {[]step{cancel, capture, capture}, Refunding, BookingEnded, 1, "[]"},
		"cancelled after a capture":              {[]step{capture, cancel}, Refunding, BookingEnded, 1, "[PaymentConfirmed]"},
		"cancelled twice after a capture":        {[]step{capture, cancel, cancel}, Refunding, BookingEnded, 1, "[PaymentConfirmed]"},
		"refunded":                               {[]step{capture, cancel, refunded}, Refunded, BookingEnded, 1, "[PaymentConfirmed PaymentRefunded]"},
		"refunded twice":                         {[]step{capture, cancel, refunded, refunded}, Refunded, BookingEnded, 1, "[PaymentConfirmed PaymentRefunded]"},
		"cancelled again after the refund":       {[]step{capture, cancel, refunded, cancel}, Refunded, BookingEnded, 1, "[PaymentConfirmed PaymentRefunded]"},
		"captured again after the refund":        {[]step{capture, cancel, refunded, capture}, Refunded, BookingEnded, 1, "[PaymentConfirmed PaymentRefunded]"},
		"refund that is not due":                 {[]step{capture, refunded}, Succeeded, "", 0, "[PaymentConfirmed]"},
		"captured after a decline":               {[]step{decline, capture}, Succeeded, "", 0, "[PaymentFailed PaymentConfirmed]"},
		"captured after the next attempt began":  {[]step{decline, another, capture}, Refunding, BookingEnded, 1, "[PaymentFailed]"},
		"declined, cancelled and captured after": {[]step{decline, cancel, capture}, Refunding, BookingEnded, 1, "[PaymentFailed]"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open()
			pay := start(t, p)
			for _, s := range tc.steps {
				s(t, p, pay)
			}
			if pay.Status != tc.status || pay.FailureCode != tc.failure {
				t.Errorf("%s %q, want %s %q", pay.Status, pay.FailureCode, tc.status, tc.failure)
			}
			if len(p.Refunds) != tc.refunds {
				t.Errorf("%d refunds, want %d", len(p.Refunds), tc.refunds)
			}
			said := []string{}
			for _, e := range p.Events {
				said = append(said, fmt.Sprintf("%T", e)[len("events."):])
			}
			if fmt.Sprint(said) != tc.events {
				t.Errorf("said %v, want %s", said, tc.events)
			}
		})
	}
}

func TestStartRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(p *Purchase)
		user    uuid.UUID
		at      time.Time
		want    string
	}{
		"someone else's":     {nil, uuid.New(), now, ErrNotYours.Error()},
		"expired":            {nil, user, now.Add(time.Minute), "the booking is expired"},
		"cancelled":          {func(p *Purchase) { p.Booking.CancelReason = events.EventCancelled }, user, now, "the booking is cancelled"},
		"cancelled by clock": {func(p *Purchase) { p.Booking.CancelReason = events.HoldExpired }, user, now, "the booking is expired"},
		"in progress":        {func(p *Purchase) { p.Payments = []*Payment{{Status: Processing}} }, user, now, ErrInProgress.Error()},
		"paid":               {func(p *Purchase) { p.Payments = []*Payment{{Status: Succeeded}} }, user, now, ErrPaid.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			p := open()
			if tc.prepare != nil {
				tc.prepare(p)
			}
			if _, err := p.Start(uuid.New(), tc.user, "pm_ok", tc.at); err == nil || err.Error() != tc.want {
				t.Errorf("error %v, want %s", err, tc.want)
			}
			if len(p.Changed) != 0 {
				t.Error("a refused payment is stored")
			}
		})
	}
}

func TestCaptureOfAnotherAmountIsRefused(t *testing.T) {
	p := open()
	pay := start(t, p)
	err := p.Capture(pay.ID, "ch", events.Money{Amount: price.Amount - 1, Currency: "EUR"}, now)
	if !errors.Is(err, ErrAmount) || pay.Status != Processing {
		t.Errorf("%v, payment %s", err, pay.Status)
	}
}
