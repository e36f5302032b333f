package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestHeldBookingIsPublishedForPayment(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	user := uuid.Must(uuid.NewV7())
	_, b, _ := s.hold(t, 0, user, "", seats(def.EventID, "2-0", "2-1"))
	path := events.HeldBookings + b.ID.String()
	ask := func(signer *identity.Signer, as identity.Identity) (int, string) {
		t.Helper()
		status, data, _ := (&system{signer: signer}).as(t, as, s.replicas[1], http.MethodGet, path, nil, "")
		return status, data
	}
	status, data := ask(s.payments, identity.Identity{UserID: user, Role: identity.Service})
	if err := events.Validate(events.TypeBookingCreated, []byte(data)); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, data, err)
	}
	var got events.BookingCreated
	if err := json.Unmarshal([]byte(data), &got); err != nil {
		t.Fatal(err)
	}
	want := events.BookingCreated{
		BookingID: b.ID, EventID: def.EventID, UserID: user, Total: events.Money{Amount: 10000, Currency: "EUR"},
		CreatedAt: got.CreatedAt, ExpiresAt: got.CreatedAt.Add(time.Duration(def.HoldSeconds) * time.Second),
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if status, data := ask(s.payments, identity.Identity{UserID: uuid.Must(uuid.NewV7()), Role: identity.Service}); status != http.StatusNotFound {
		t.Errorf("another user got: %d %s", status, data)
	}
	if status, data := ask(s.signer, identity.Identity{UserID: user, Role: identity.Customer}); status != http.StatusForbidden {
		t.Errorf("a customer: %d %s", status, data)
	}
	if status, data := ask(s.payments, identity.Identity{UserID: user, Role: identity.Customer}); status != http.StatusUnauthorized {
		t.Errorf("payment-service as a customer: %d %s", status, data)
	}
	s.do(t, s.replicas[2], http.MethodPost, "/api/v1/bookings/"+b.ID.String()+"/cancel", user, "", "")
	status, data = ask(s.payments, identity.Identity{UserID: user, Role: identity.Service})
	if status != http.StatusConflict || !strings.Contains(data, `"booking_not_payable"`) || !strings.Contains(data, `"booking_status":"cancelled"`) {
		t.Errorf("a cancelled booking: %d %s", status, data)
	}
}

func TestServicesReadAnyBooking(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	user := uuid.Must(uuid.NewV7())
	_, b, _ := s.hold(t, 0, user, "", seats(def.EventID, "2-0", "2-1"))
	read := func(id uuid.UUID, as identity.Role) (r events.BookingRecord, status int) {
		t.Helper()
		status, data, _ := (&system{signer: s.notifications}).as(t, identity.Identity{Role: as}, s.replicas[1], http.MethodGet,
			events.BookingRecords+id.String(), nil, "")
		if status == http.StatusOK {
			if err := json.Unmarshal([]byte(data), &r); err != nil {
				t.Fatal(err)
			}
		}
		return r, status
	}
	held, _ := read(b.ID, identity.Service)
	if held.Status != "held" || held.UserID != user || held.OrderNumber != b.OrderNumber || held.Total != b.Total || !held.ExpiresAt.Equal(b.ExpiresAt) ||
		held.EventName != def.Name || held.VenueName != def.VenueName || held.TimeZone != def.TimeZone || !held.EndsAt.Equal(def.EndsAt) ||
		len(held.Tickets) != 2 || held.Tickets[0].Code != "" || held.Tickets[1].Price != 5000 {
		t.Errorf("a held booking: %+v", held)
	}
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, b.ID.String(), events.PaymentConfirmed{
		PaymentID: uuid.New(), BookingID: b.ID, EventID: def.EventID, Amount: held.Total, CapturedAt: time.Now().UTC(),
	})
	testkit.Eventually(t, "the booking is confirmed", func() bool { held, _ = read(b.ID, identity.Service); return held.Status == "confirmed" })
	for _, ticket := range held.Tickets {
		if !strings.HasPrefix(ticket.Code, "FR1.") {
			t.Errorf("a ticket without code: %+v", ticket)
		}
	}
	if _, status := read(uuid.New(), identity.Service); status != http.StatusNotFound {
		t.Errorf("unknown booking: %d", status)
	}
	if _, status := read(b.ID, identity.Customer); status != http.StatusUnauthorized {
		t.Errorf("as a customer: %d", status)
	}
}

func TestSagaConfirmsAndCancels(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	user := uuid.Must(uuid.NewV7())
	status, b, data := s.hold(t, 0, user, "", seats(def.EventID, "1-0", "2-0"))
	if status != http.StatusCreated || b.Total.Amount != 10000 {
		t.Fatalf("hold: %d %s", status, data)
	}
	if status, data, _ := s.get(t, s.replicas[1], "/api/v1/bookings/"+b.ID.String()+"/tickets", user); status != http.StatusConflict {
		t.Errorf("tickets of a hold: %d %s", status, data)
	}
	payment := uuid.Must(uuid.NewV7())
	paid := events.PaymentConfirmed{
		PaymentID: payment, BookingID: b.ID, EventID: def.EventID, Amount: events.Money{Amount: 10000, Currency: "EUR"}, CapturedAt: time.Now().UTC(),
	}
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, b.ID.String(), paid)
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, b.ID.String(), paid)
	s.waitStatus(t, user, b.ID, "confirmed")
	for _, r := range s.replicas {
		testkit.Eventually(t, "both blocks show the sale on every replica", func() bool {
			_, data, _ := s.get(t, r, "/api/v1/events/"+def.EventID.String()+"/seats", uuid.Nil)
			return strings.Count(data, `"states":"s`) == 2
		})
	}
	if status, data, _ := s.get(t, s.replicas[1], "/api/v1/bookings/"+b.ID.String()+"/tickets", user); status != http.StatusOK || strings.Count(data, "FR1.") != 2 {
		t.Errorf("tickets: %d %s", status, data)
	}
	if status, data, _ := s.get(t, s.replicas[1], "/api/v1/bookings/"+b.ID.String(), uuid.Must(uuid.NewV7())); status != http.StatusNotFound {
		t.Errorf("someone else's booking: %d %s", status, data)
	}
	notRecent := identity.Identity{UserID: user, Role: identity.Customer}
	if status, data, _ := s.as(t, notRecent, s.replicas[2], http.MethodPost, "/api/v1/bookings/"+b.ID.String()+"/cancel", nil, ""); status != http.StatusForbidden || !strings.Contains(data, `"reauthentication_required"`) {
		t.Errorf("a refund without a recent password: %d %s", status, data)
	}
	for range 2 {
		if status, data, _ := s.do(t, s.replicas[2], http.MethodPost, "/api/v1/bookings/"+b.ID.String()+"/cancel", user, "", ""); status != http.StatusOK {
			t.Fatalf("cancel: %d %s", status, data)
		}
	}
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentRefunded, b.ID.String(), events.PaymentRefunded{
		PaymentID: payment, BookingID: b.ID, EventID: def.EventID, Amount: paid.Amount, Reason: events.CancelledByBuyer, RefundedAt: time.Now().UTC(),
	})
	testkit.Eventually(t, "the refund is noted", func() bool {
		b := s.booking(t, user, b.ID)
		return b.Status == "cancelled" && b.Payment != nil && b.Payment.Status == "refunded"
	})
	testkit.Eventually(t, "the seats are free again", func() bool {
		status, _, _ := s.hold(t, 1, uuid.Must(uuid.NewV7()), "again", seats(def.EventID, "1-0", "2-0"))
		return status == http.StatusCreated
	})
}

func TestExpiredHoldIsResoldAndLatePaymentRefunded(t *testing.T) {
	s := start3(t)
	def := s.sale(t, func(e *events.EventChanged) { e.HoldSeconds = 1 })
	first, second := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	status, b, data := s.hold(t, 0, first, "", seats(def.EventID, "1-0", "2-0"))
	if status != http.StatusCreated {
		t.Fatalf("hold: %d %s", status, data)
	}
	s.waitStatus(t, first, b.ID, "expired")
	testkit.Eventually(t, "the seats are free again", func() bool {
		status, _, _ := s.hold(t, 2, second, "mine", seats(def.EventID, "1-0", "2-0"))
		return status == http.StatusCreated
	})
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, b.ID.String(), events.PaymentConfirmed{
		PaymentID: uuid.Must(uuid.NewV7()), BookingID: b.ID, EventID: def.EventID, Amount: b.Total, CapturedAt: time.Now().UTC(),
	})
	testkit.Eventually(t, "the late payment is on its way back", func() bool {
		b := s.booking(t, first, b.ID)
		return b.Status == "expired" && b.Payment != nil && b.Payment.Status == "refunding"
	})
}

func TestCancelledEventEndsEverything(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	user := uuid.Must(uuid.NewV7())
	_, held, _ := s.hold(t, 0, user, "", seats(def.EventID, "1-0", "2-0"))
	_, paid, _ := s.hold(t, 1, user, "", best(def.EventID, "floor", 2))
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, paid.ID.String(), events.PaymentConfirmed{
		PaymentID: uuid.Must(uuid.NewV7()), BookingID: paid.ID, EventID: def.EventID, Amount: paid.Total, CapturedAt: time.Now().UTC(),
	})
	s.waitStatus(t, user, paid.ID, "confirmed")
	def.Version, def.Status = 2, events.StatusCancelled
	s.send(t, events.TopicEventChanged, events.TypeEventChanged, def.EventID.String(), def)
	s.waitStatus(t, user, held.ID, "cancelled")
	if b := s.waitStatus(t, user, paid.ID, "cancelled"); b.Reason != "event_cancelled" || b.Payment.Status != "refunding" {
		t.Errorf("paid booking: %+v", b)
	}
	for _, r := range s.replicas {
		testkit.Eventually(t, "no seat is left to buy", func() bool {
			_, data, _ := s.get(t, r, "/api/v1/events/"+def.EventID.String()+"/seats", uuid.Nil)
			return strings.Count(data, "x") == 100
		})
	}
	if status, a, _ := s.hold(t, 2, user, "", seats(def.EventID, "1-0")); status != http.StatusConflict {
		t.Errorf("hold after the cancellation: %d %s", status, a.Code)
	}
}
