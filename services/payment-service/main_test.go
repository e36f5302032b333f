package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/psp"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

func TestPaymentMethodsReachTheirStatus(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	l := p.listen(t)
	producer := p.producer(t)
	var want int64
	t.Run("methods", func(t *testing.T) {
		for method, tc := range map[string]struct {
			status  payment.Status
			failure string
			typ     string
		}{
			"pm_ok":                 {payment.Succeeded, "", events.TypePaymentConfirmed},
			"pm_declined":           {payment.Failed, "card_declined", events.TypePaymentFailed},
			"pm_insufficient_funds": {payment.Failed, "insufficient_funds", events.TypePaymentFailed},
			"pm_slow":               {payment.Succeeded, "", events.TypePaymentConfirmed},
			"pm_unknown":            {payment.Succeeded, "", events.TypePaymentConfirmed},
			"pm_duplicate_webhook":  {payment.Succeeded, "", events.TypePaymentConfirmed},
		} {
			if tc.status == payment.Succeeded {
				want += 1234
			}
			t.Run(method, func(t *testing.T) {
				t.Parallel()
				b := newBooking(1234)
				if err := producer.Publish(t.Context(), message(t, events.TopicBookingCreated, events.TypeBookingCreated, b.BookingID, b)); err != nil {
					t.Fatal(err)
				}
				p.knows(t, b)
				started := p.pay(t, b, method)
				if v := p.becomes(t, b.UserID, started.ID, tc.status); v.FailureCode != tc.failure {
					t.Errorf("failure code %q, want %q", v.FailureCode, tc.failure)
				}
				testkit.Eventually(t, "booking-service is notified", func() bool { return len(l.types(b.BookingID)) > 0 })
				testkit.Eventually(t, "all webhooks are delivered", func() bool {
					return p.provider.count(t, `SELECT count(*) FROM webhooks WHERE convert_from(body, 'UTF8') LIKE '%' || $1 || '%'`, started.ID.String()) == 0
				})
				if got := l.types(b.BookingID); len(got) != 1 || got[0] != tc.typ {
					t.Errorf("booking-service received %v, want %s once", got, tc.typ)
				}
				if n := p.provider.count(t, `SELECT count(*) FROM charges WHERE key = $1`, started.ID.String()); n != 1 {
					t.Errorf("%d charges", n)
				}
			})
		}
	})
	p.balanced(t, want)
}

func TestDeclinedBuyerPaysAgainWhileTheHoldLasts(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	b := newBooking(500)
	p.held(t, b)
	first := p.pay(t, b, "pm_declined")
	p.becomes(t, b.UserID, first.ID, payment.Failed)
	second := p.pay(t, b, "pm_ok")
	p.becomes(t, b.UserID, second.ID, payment.Succeeded)
	a := p.call(t, b.UserID, http.MethodPost, "/api/v1/payments", map[string]any{"booking_id": b.BookingID, "payment_method": "pm_ok"})
	wantProblem(t, a, http.StatusConflict, "already_paid")
	p.balanced(t, 500)
}

func TestConcurrentRequestsWithOneKeyChargeOnce(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	for _, key := range []string{"the-key", ""} {
		b := newBooking(700)
		p.held(t, b)
		header := []string{"Idempotency-Key", key}
		if key == "" {
			header = nil
		}
		var wg sync.WaitGroup
		answers := make([]answer, 20)
		for i := range answers {
			wg.Go(func() {
				answers[i] = p.call(t, b.UserID, http.MethodPost, "/api/v1/payments",
					map[string]any{"booking_id": b.BookingID, "payment_method": "pm_slow"}, header...)
			})
		}
		wg.Wait()
		accepted, replayed := 0, 0
		var id string
		for _, a := range answers {
			if a.status != http.StatusAccepted {
				wantProblem(t, a, http.StatusConflict, "payment_in_progress")
				continue
			}
			accepted++
			if a.header.Get("Idempotency-Replayed") == "true" {
				replayed++
			}
			if id != "" && id != string(a.body) {
				t.Errorf("two answers: %s and %s", id, a.body)
			}
			id = string(a.body)
		}
		if key != "" && (accepted != 20 || replayed != 19) || key == "" && accepted != 1 {
			t.Errorf("key %q: %d accepted, %d replayed", key, accepted, replayed)
		}
		if n := p.count(t, `SELECT count(*) FROM payments WHERE booking_id = $1`, b.BookingID); n != 1 {
			t.Errorf("%d payments", n)
		}
		var v paymentView
		if err := json.Unmarshal([]byte(id), &v); err != nil {
			t.Fatal(err)
		}
		p.becomes(t, b.UserID, v.ID, payment.Succeeded)
		a := p.call(t, b.UserID, http.MethodPost, "/api/v1/payments",
			map[string]any{"booking_id": b.BookingID, "payment_method": "pm_ok"}, "Idempotency-Key", "the-key")
		if key != "" {
			wantProblem(t, a, http.StatusUnprocessableEntity, "idempotency_key_reused")
		}
	}
	if n := p.provider.count(t, `SELECT count(*) FROM charges`); n != 2 {
		t.Errorf("%d charges, want 2", n)
	}
}

func TestRedeliveredMessagesHaveOneEffect(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	l := p.listen(t)
	b := newBooking(900)
	created := message(t, events.TopicBookingCreated, events.TypeBookingCreated, b.BookingID, b)
	ended := message(t, events.TopicBookingCancelled, events.TypeBookingCancelled, b.BookingID, cancelled(b, events.CancelledByBuyer))
	created.ID, ended.ID = uuid.NewString(), uuid.NewString()
	producer := p.producer(t)
	publish := func(msgs ...kafka.Message) {
		t.Helper()
		if err := producer.Publish(t.Context(), msgs...); err != nil {
			t.Fatal(err)
		}
	}
	publish(created, created)
	p.knows(t, b)
	v := p.pay(t, b, "pm_ok")
	p.becomes(t, b.UserID, v.ID, payment.Succeeded)
	publish(ended, created, ended, created)
	refunded := p.becomes(t, b.UserID, v.ID, payment.Refunded)
	if refunded.FailureCode != payment.BookingEnded || refunded.RefundedAt == nil {
		t.Errorf("the payment does not say why and when it was refunded: %+v", refunded)
	}
	again := cancelled(b, events.PaymentLate)
	publish(message(t, events.TopicBookingCancelled, events.TypeBookingCancelled, b.BookingID, again), ended)
	testkit.Eventually(t, "booking-service is notified", func() bool { return len(l.types(b.BookingID)) == 2 })
	p.balanced(t, 0)
	if n := p.provider.count(t, `SELECT count(*) FROM refunds`); n != 1 {
		t.Errorf("%d refunds, want 1", n)
	}
	if got := fmt.Sprint(l.types(b.BookingID)); got != fmt.Sprint([]string{events.TypePaymentConfirmed, events.TypePaymentRefunded}) {
		t.Errorf("booking-service received %s", got)
	}
	testkit.Eventually(t, "the audit log has the refund", func() bool { return len(l.types(b.UserID)) > 0 })
	if got := l.types(b.UserID); len(got) != 1 || got[0] != events.TypeAuditEntry {
		t.Errorf("audit entries %s", got)
	}
	a := p.call(t, b.UserID, http.MethodPost, "/api/v1/payments", map[string]any{"booking_id": b.BookingID, "payment_method": "pm_ok"})
	wantProblem(t, a, http.StatusConflict, "booking_not_payable")
}

func TestPoisonMessageDoesNotBlockOtherBookings(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	good := newBooking(100)
	ok := message(t, events.TopicBookingCreated, events.TypeBookingCreated, good.BookingID, good)
	negative := newBooking(-1)
	data, err := json.Marshal(negative)
	if err != nil {
		t.Fatal(err)
	}
	poison := []kafka.Message{ok, ok, ok}
	poison[0].Data = []byte(`{"booking_id":`)
	poison[1].Data = data
	poison[2].Type = "frontrow.booking.renamed.v1"
	if err := p.producer(t).Publish(t.Context(), append(poison, ok)...); err != nil {
		t.Fatal(err)
	}
	p.knows(t, good)
	p.becomes(t, good.UserID, p.pay(t, good, "pm_ok").ID, payment.Succeeded)
	if n := p.count(t, `SELECT count(*) FROM bookings WHERE booking_id = $1 OR amount < 0`, negative.BookingID); n != 0 {
		t.Error("a booking with a negative price was stored")
	}
}

func TestCancellationDeliveredBeforeBookingIsKept(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	b := newBooking(900)
	if err := p.store.BookingsCancelled(t.Context(), []events.BookingCancelled{cancelled(b, events.HoldExpired)}); err != nil {
		t.Fatal(err)
	}
	p.held(t, b)
	a := p.call(t, b.UserID, http.MethodPost, "/api/v1/payments", map[string]any{"booking_id": b.BookingID, "payment_method": "pm_ok"})
	wantProblem(t, a, http.StatusConflict, "booking_not_payable")
}

func TestCancelRacingCaptureKeepsNoMoney(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	const rounds = 60
	var wg sync.WaitGroup
	ids := make([]paymentView, rounds)
	bookings := make([]events.BookingCreated, rounds)
	for i := range rounds {
		bookings[i] = newBooking(100)
		p.held(t, bookings[i])
		method := []string{"pm_ok", "pm_ok", "pm_duplicate_webhook", "pm_unknown"}[i%4]
		wg.Go(func() {
			ids[i] = p.pay(t, bookings[i], method)
			select { // around the time of the capture
			case <-time.After(rand.N(80 * time.Millisecond)):
			case <-t.Context().Done():
			}
			if err := p.store.BookingsCancelled(t.Context(), []events.BookingCancelled{cancelled(bookings[i], events.CancelledByBuyer)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	outcomes := map[payment.Status]int{}
	for i, v := range ids {
		testkit.Eventually(t, "the payment is settled", func() bool {
			v = p.get(t, bookings[i].UserID, v.ID)
			return v.Status == payment.Refunded || v.Status == payment.Failed
		})
		if v.FailureCode != payment.BookingEnded {
			t.Errorf("failure code %q", v.FailureCode)
		}
		outcomes[v.Status]++
	}
	t.Logf("outcomes: %v", outcomes)
	p.balanced(t, 0)
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	l := p.listen(t)
	b := newBooking(300)
	p.held(t, b)
	v := p.pay(t, b, "pm_slow")
	event := func(amount int64) string {
		raw, err := json.Marshal(psp.Event{ID: "evt_1", Charge: payment.Charge{
			ID: "ch_1", Key: v.ID.String(), Amount: events.Money{Amount: amount, Currency: "EUR"},
			Status: payment.ChargeCaptured, SettledAt: time.Now(),
		}})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	good, less := event(300), event(1)
	sign := func(secret, body string, at time.Time) string { return psp.Sign(secret, []byte(body), at) }
	for name, tc := range map[string]struct {
		body, signature string
		status          int
	}{
		"no signature":      {good, "", http.StatusUnauthorized},
		"another secret":    {good, sign("guess", good, time.Now()), http.StatusUnauthorized},
		"another body":      {good, sign(webhookSecret, less, time.Now()), http.StatusUnauthorized},
		"an old signature":  {good, sign(webhookSecret, good, time.Now().Add(-6*time.Minute)), http.StatusUnauthorized},
		"one of the future": {good, sign(webhookSecret, good, time.Now().Add(6*time.Minute)), http.StatusUnauthorized},
		"another amount":    {less, sign(webhookSecret, less, time.Now()), http.StatusUnprocessableEntity},
	} {
		if a := p.send(t, http.MethodPost, "/webhooks/psp", tc.body, psp.SignatureHeader, tc.signature); a.status != tc.status {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if got := p.get(t, b.UserID, v.ID).Status; got != payment.Processing {
		t.Fatalf("a refused webhook made the payment %s", got)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if a := p.send(t, http.MethodPost, "/webhooks/psp", good, psp.SignatureHeader, sign(webhookSecret, good, time.Now())); a.status != http.StatusNoContent {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	wg.Wait()
	p.becomes(t, b.UserID, v.ID, payment.Succeeded)
	testkit.Eventually(t, "booking-service is notified", func() bool { return len(l.types(b.BookingID)) > 0 })
	if got := l.types(b.BookingID); len(got) != 1 {
		t.Errorf("booking-service received %v", got)
	}
}

func TestInvalidRequestsAreRefused(t *testing.T) {
	t.Parallel()
	p := newProgram(t).start(t)
	b, expired := newBooking(300), newBooking(300)
	expired.ExpiresAt = time.Now().Add(-time.Second)
	p.held(t, b, expired)
	body := func(booking any, method string) map[string]any {
		return map[string]any{"booking_id": booking, "payment_method": method}
	}
	for name, tc := range map[string]struct {
		user   uuid.UUID
		body   any
		header []string
		status int
		code   string
	}{
		"not logged in":  {uuid.Nil, body(b.BookingID, "pm_ok"), nil, 401, "session_required"},
		"malformed JSON": {b.UserID, `{"booking_id":`, nil, 400, "malformed_json"},
		"unknown field":  {b.UserID, `{"booking_id":"x","payment_method":"pm_ok","amount":1}`, nil, 400, "unknown_field"},
		"no booking":     {b.UserID, `{"payment_method":"pm_ok"}`, nil, 422, "validation_failed"},
		"no method":      {b.UserID, body(b.BookingID, ""), nil, 422, "validation_failed"},
		"unknown method": {b.UserID, body(b.BookingID, "pm_gold"), nil, 422, "unknown_payment_method"},
		"too large":      {b.UserID, `{"booking_id":"` + strings.Repeat("x", 300<<10) + `"}`, nil, 413, "body_too_large"},
		"a form":         {b.UserID, `{}`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		"no media type":  {b.UserID, body(b.BookingID, "pm_ok"), []string{"Content-Type", ""}, 415, "unsupported_media_type"},
		"null":           {b.UserID, `null`, nil, 400, "malformed_json"},
		"bad key":        {b.UserID, body(b.BookingID, "pm_ok"), []string{"Idempotency-Key", "a b"}, 400, "invalid_idempotency_key"},
		"someone else's": {uuid.New(), body(b.BookingID, "pm_ok"), nil, 404, "not_found"},
		"expired":        {expired.UserID, body(expired.BookingID, "pm_ok"), nil, 409, "booking_not_payable"},
		"a booking that booking-service can't be asked for": {b.UserID, body(uuid.New(), "pm_ok"), nil, 503, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			a := p.call(t, tc.user, http.MethodPost, "/api/v1/payments", tc.body, tc.header...)
			wantProblem(t, a, tc.status, tc.code)
			if tc.status == 503 && a.header.Get("Retry-After") != "1" {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
		})
	}
	wantProblem(t, p.send(t, http.MethodPost, "/api/v1/payments", body(b.BookingID, "pm_ok")), 401, "identity_required")
	unverified := p.signer.Sign(identity.Identity{UserID: b.UserID, Role: identity.Customer, Recent: true})
	wantProblem(t, p.send(t, http.MethodPost, "/api/v1/payments", body(b.BookingID, "pm_ok"), identity.Header, unverified),
		403, "email_not_verified")
	v := p.pay(t, b, "pm_ok")
	wantProblem(t, p.call(t, uuid.New(), http.MethodGet, "/api/v1/payments/"+v.ID.String(), nil), 404, "not_found")
	wantProblem(t, p.call(t, b.UserID, http.MethodGet, "/api/v1/payments/nonsense", nil), 404, "not_found")
	if n := p.count(t, `SELECT count(*) FROM payments`); n != 1 {
		t.Errorf("%d payments, want the accepted one", n)
	}
}

func wantProblem(t *testing.T, a answer, status int, code string) {
	t.Helper()
	var pr map[string]any
	if err := json.Unmarshal(a.body, &pr); err != nil || a.status != status || pr["code"] != code {
		t.Errorf("%d %.300s, want %d %s", a.status, a.body, status, code)
	}
}
