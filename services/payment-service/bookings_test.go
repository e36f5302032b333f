package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/bookings"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

// nobodys is the id of a booking that does not exist.
var nobodys = uuid.New()

// askable is a fake replica of booking-service: it serves a buyer's own holds,
// and reports all other bookings except nobodys as expired. It returns its
// host:port.
func (p *program) askable(t *testing.T, held ...events.BookingCreated) string {
	t.Helper()
	verifier, err := identity.NewVerifier(bookingService, p.bookingKey)
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(verifier)
	api.Handle(http.MethodGet, events.HeldBookings+"{id}", func(w http.ResponseWriter, r *http.Request) error {
		for _, b := range held {
			if strings.HasSuffix(r.URL.Path, b.BookingID.String()) && b.UserID == identity.FromContext(r.Context()).UserID {
				return httpapi.WriteJSON(w, http.StatusOK, b)
			}
		}
		if strings.HasSuffix(r.URL.Path, nobodys.String()) {
			return problem.NotFound("This booking")
		}
		return problem.New(http.StatusConflict, "booking_not_payable", "It ran out.").With("booking_status", "expired")
	})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestBookingIsFetchedWhenItsMessageIsMissing(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	b := newBooking(1500)
	p.cfg.DiscoveryDNS = map[string]string{bookingService: p.askable(t, b)}
	p.start(t)
	l := p.listen(t)
	v := p.pay(t, b, "pm_ok")
	p.becomes(t, b.UserID, v.ID, payment.Succeeded)

	// Its message arrives after all, followed by its end.
	producer := p.producer(t)
	for _, m := range []struct {
		topic, typ string
		data       any
	}{
		{events.TopicBookingCreated, events.TypeBookingCreated, b},
		{events.TopicBookingCancelled, events.TypeBookingCancelled, cancelled(b, events.CancelledByBuyer)},
	} {
		if err := producer.Publish(t.Context(), message(t, m.topic, m.typ, b.BookingID, m.data)); err != nil {
			t.Fatal(err)
		}
	}
	p.becomes(t, b.UserID, v.ID, payment.Refunded)
	p.balanced(t, 0)
	testkit.Eventually(t, "booking-service is notified", func() bool { return len(l.types(b.BookingID)) > 0 })
	if got := l.types(b.BookingID); got[0] != events.TypePaymentConfirmed {
		t.Errorf("booking-service received %v", got)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.all[b.BookingID.String()] {
		var payload struct {
			EventID uuid.UUID `json:"event_id"`
		}
		if err := json.Unmarshal(m.Data, &payload); err != nil || payload.EventID != b.EventID {
			t.Errorf("booking-service can't find the booking by %s: %v", m.Data, err)
		}
	}

	a := p.call(t, uuid.New(), http.MethodPost, "/api/v1/payments", map[string]any{"booking_id": nobodys, "payment_method": "pm_ok"})
	wantProblem(t, a, http.StatusNotFound, "not_found")
	ended := newBooking(1500)
	a = p.call(t, ended.UserID, http.MethodPost, "/api/v1/payments", map[string]any{"booking_id": ended.BookingID, "payment_method": "pm_ok"})
	wantProblem(t, a, http.StatusConflict, "booking_not_payable")
	if !strings.Contains(string(a.body), `"booking_status":"expired"`) {
		t.Errorf("the booking's status is missing: %s", a.body)
	}
	if n := p.count(t, `SELECT count(*) FROM bookings WHERE booking_id = $1`, ended.BookingID); n != 0 {
		t.Error("a booking that had ended was stored as one to be paid")
	}
}

func TestBookingIsFetchedFromRespondingReplica(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	b := newBooking(1500)
	signer, err := identity.NewSigner(bookingService, p.bookingKey)
	if err != nil {
		t.Fatal(err)
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	ofAnotherVersion := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(ofAnotherVersion.Close)
	stranger := newBooking(1)
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = httpapi.WriteJSON(w, http.StatusOK, stranger) }))
	t.Cleanup(liar.Close)
	var replicas []consul.Instance
	for _, s := range []*httptest.Server{closed, ofAnotherVersion, liar} {
		replicas = append(replicas, consul.Instance{ID: s.URL, Addr: strings.TrimPrefix(s.URL, "http://")})
	}
	client := bookings.NewClient(func() []consul.Instance { return replicas }, signer)
	var ended *payment.NotPayableError
	if _, err := client.Held(t.Context(), b.UserID, b.BookingID); err == nil || errors.As(err, &ended) {
		t.Errorf("nobody knew of it, and the answer is %v", err)
	}
	honest := p.askable(t, b)
	for i := range 20 { // each id gives another order
		all := append(slices.Clone(replicas), consul.Instance{ID: strconv.Itoa(i), Addr: honest})
		client := bookings.NewClient(func() []consul.Instance { return all }, signer)
		got, err := client.Held(t.Context(), b.UserID, b.BookingID)
		if err != nil || got != b {
			t.Fatalf("got %+v, %v, want %+v", got, err, b)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Held(gone, b.UserID, b.BookingID); !errors.Is(err, context.Canceled) {
		t.Errorf("for a buyer who has left: %v", err)
	}
}
