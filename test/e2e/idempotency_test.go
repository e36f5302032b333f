package e2e

import (
	"net/http"
	"sync"
	"testing"

	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestConcurrentRequestsWithOneKeyMakeOneBooking(t *testing.T) {
	s := newSale(t, nil)
	for name, request := range map[string]client.NewBooking{"by seats": s.seats("1-40", "1-41"), "by quantity": s.best("front", 3)} {
		t.Run(name, func(t *testing.T) {
			buyer, key := newBuyer(t), newKey()
			bookings := make([]client.Booking, 20)
			errs := make([]error, len(bookings))
			var done sync.WaitGroup
			for i := range bookings {
				done.Go(func() { bookings[i], errs[i] = buyer.Hold(t.Context(), request, key) })
			}
			done.Wait()
			var id string
			for i, err := range errs {
				// 503 outcome_unknown asks for a retry; it is not a final
				// answer.
				if client.IsCode(err, "outcome_unknown") {
					bookings[i] = must(buyer.Hold(t.Context(), request, key))(t)
				} else if err != nil {
					t.Fatalf("request %d: %v", i, err)
				}
				if id == "" {
					id = bookings[i].ID
				}
				if bookings[i].ID != id {
					t.Errorf("request %d got booking %s, another %s", i, bookings[i].ID, id)
				}
			}
			if page := must(buyer.Bookings(t.Context(), nil))(t); len(page.Items) != 1 {
				t.Errorf("the buyer has %d bookings, want 1", len(page.Items))
			}
		})
	}
}

func TestKeyReusedForAnotherBodyIsRefused(t *testing.T) {
	s := newSale(t, nil)
	buyer, key := newBuyer(t), newKey()
	booking := must(buyer.Hold(t.Context(), s.seats("1-60"), key))(t)
	_, err := buyer.Hold(t.Context(), s.seats("1-61"), key)
	wantCode(t, err, 422, "idempotency_key_reused")

	payKey := newKey()
	first := must(buyer.Pay(t.Context(), booking.ID, "pm_ok", payKey))(t)
	if again := must(buyer.Pay(t.Context(), booking.ID, "pm_ok", payKey))(t); again.ID != first.ID {
		t.Errorf("the same key made payments %s and %s", first.ID, again.ID)
	}
	_, err = buyer.Pay(t.Context(), booking.ID, "pm_slow", payKey)
	wantCode(t, err, 422, "idempotency_key_reused")
	awaitBooking(t, buyer, booking.ID, "confirmed")
	checkLedger(t, s, frontPrice)
}

func TestReplayedAnswerIsIdenticalAndMarked(t *testing.T) {
	organizer := newOrganizer(t)
	venue := must(organizer.CreateVenue(t.Context(), plan(1, 3)))(t)
	s := newSale(t, nil)
	for name, r := range map[string]client.Request{
		"venue":   {Path: "/venues", Body: plan(1, 3)},
		"event":   {Path: "/events", Body: draftOf(venue)},
		"booking": {Path: "/bookings", Body: s.seats("1-70")},
	} {
		t.Run(name, func(t *testing.T) {
			r.Method, r.Header = http.MethodPost, http.Header{"Idempotency-Key": {newKey()}}
			first := must(organizer.Do(t.Context(), r))(t)
			second := must(organizer.Do(t.Context(), r))(t)
			if first.Status != http.StatusCreated || second.Status != first.Status || string(second.Body) != string(first.Body) {
				t.Errorf("first %d %.300s\nsecond %d %.300s", first.Status, first.Body, second.Status, second.Body)
			}
			if first.Header.Get("Idempotency-Replayed") != "" || second.Header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("Idempotency-Replayed: first %q, second %q", first.Header.Get("Idempotency-Replayed"), second.Header.Get("Idempotency-Replayed"))
			}
		})
	}
}
