package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	venueEvent := func(change func(*client.NewEvent)) client.NewEvent {
		e := draftOf(s.venue)
		change(&e)
		return e
	}
	object := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	manySeats := make([]string, 10_000)
	for i := range manySeats {
		manySeats[i] = fmt.Sprintf("%d-%d", 1+i/300, i%300)
	}
	tests := []struct {
		name, method, path string
		body               any
		header             http.Header
		status             int
		code               string
		field              string // one of the invalid fields named
	}{
		{name: "malformed JSON", path: "/bookings", body: []byte(`{"event_id":`), status: 400, code: "malformed_json"},
		{name: "an empty body", path: "/bookings", body: []byte{}, status: 400, code: "malformed_json"},
		{name: "two values", path: "/bookings", body: []byte(`{} {}`), status: 400, code: "malformed_json"},
		{name: "an unknown field", path: "/bookings", body: object("event_id", s.event.ID, "seat_ids", []string{"1-0"}, "vip", true), status: 400, code: "unknown_field"},
		{name: "an unknown field in an event", path: "/events", body: object("nom", "x"), status: 400, code: "unknown_field"},
		{name: "a 10 MB body", path: "/bookings", body: bytes.Repeat([]byte(" "), 10<<20), status: 413, code: "body_too_large"},
		{name: "a 10 MB registration", path: "/auth/register", body: bytes.Repeat([]byte(" "), 10<<20), status: 413, code: "body_too_large"},
		{name: "a 17 MB venue", path: "/venues", body: bytes.Repeat([]byte(" "), 17<<20), status: 413, code: "body_too_large"},
		{name: "not JSON at all", path: "/bookings", body: []byte("a=b"), header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, status: 415, code: "unsupported_media_type"},
		{name: "a body that does not say what it is", path: "/auth/login", body: []byte("{}"), header: http.Header{"Content-Type": nil}, status: 415, code: "unsupported_media_type"},
		{name: "a key of two words", path: "/bookings", body: s.seats("1-0"), header: http.Header{"Idempotency-Key": {"two words"}}, status: 400, code: "invalid_idempotency_key"},
		{name: "a key of 256 characters", path: "/bookings", body: s.seats("1-0"), header: http.Header{"Idempotency-Key": {strings.Repeat("k", 256)}}, status: 400, code: "invalid_idempotency_key"},

		{name: "no seats and no quantity", path: "/bookings", body: object("event_id", s.event.ID), status: 422, code: "validation_failed"},
		{name: "seats and a quantity", path: "/bookings", body: object("event_id", s.event.ID, "seat_ids", []string{"1-0"}, "ticket_type_id", "front", "quantity", 1), status: 422, code: "validation_failed"},
		{name: "an event id that is none", path: "/bookings", body: object("event_id", "7", "seat_ids", []string{"1-0"}), status: 422, code: "validation_failed", field: "event_id"},
		{name: "an event that does not exist", path: "/bookings", body: object("event_id", newEventID(), "seat_ids", []string{"1-0"}), status: 409, code: "event_not_on_sale"},
		{name: "a seat id that is none", path: "/bookings", body: s.seats("front row"), status: 422, code: "validation_failed"},
		{name: "the same seat twice", path: "/bookings", body: s.seats("1-0", "1-0"), status: 422, code: "validation_failed"},
		{name: "a seat the hall does not have", path: "/bookings", body: s.seats("1-0", "1-299"), status: 422, code: "unknown_seats"},
		{name: "a block the hall does not have", path: "/bookings", body: s.seats("77-0"), status: 422, code: "unknown_seats"},
		{name: "10,000 seats", path: "/bookings", body: s.seats(manySeats...), status: 422, code: "too_many_seats"},
		{name: "more seats than a buyer may have", path: "/bookings", body: s.seats("1-0", "1-1", "1-2", "1-3", "1-4", "1-5", "1-6", "1-7", "1-8"), status: 422, code: "too_many_seats"},
		{name: "a quantity of none", path: "/bookings", body: object("event_id", s.event.ID, "ticket_type_id", "front", "quantity", 0), status: 422, code: "validation_failed"},
		{name: "a negative quantity", path: "/bookings", body: object("event_id", s.event.ID, "ticket_type_id", "front", "quantity", -3), status: 422, code: "validation_failed"},
		{name: "an unknown ticket type", path: "/bookings", body: s.best("balcony", 1), status: 422, code: "validation_failed", field: "ticket_type_id"},

		{name: "an unknown payment method", path: "/payments", body: object("booking_id", newEventID(), "payment_method", "pm_shells"), status: 422, code: "unknown_payment_method"},
		{name: "a booking id that is none", path: "/payments", body: object("booking_id", "x", "payment_method", "pm_ok"), status: 422, code: "validation_failed", field: "booking_id"},

		{name: "an e-mail that is none", path: "/auth/register", body: object("email", "ada", "password", password, "name", "Ada"), status: 422, code: "validation_failed", field: "email"},
		{name: "a short password", path: "/auth/register", body: object("email", newEmail(), "password", "seven77", "name", "Ada"), status: 422, code: "validation_failed", field: "password"},
		{name: "no name", path: "/auth/register", body: object("email", newEmail(), "password", password, "name", ""), status: 422, code: "validation_failed", field: "name"},

		{name: "a negative price", path: "/events", body: venueEvent(func(e *client.NewEvent) { e.TicketTypes[1].Price = -1 }), status: 422, code: "validation_failed", field: "ticket_types[1].price"},
		{name: "a price with a fraction", path: "/events", body: object("ticket_types", []any{object("name", "A", "category", "front", "price", 1.5)}), status: 422, code: "validation_failed"},
		{name: "an unknown currency", path: "/events", body: venueEvent(func(e *client.NewEvent) { e.Currency = "EURO" }), status: 422, code: "validation_failed", field: "currency"},
		{name: "an end before the start", path: "/events", body: venueEvent(func(e *client.NewEvent) { e.EndsAt = e.StartsAt.Add(-time.Hour) }), status: 422, code: "validation_failed", field: "ends_at"},
		{name: "a time zone nobody has", path: "/events", body: venueEvent(func(e *client.NewEvent) { e.TimeZone = "Moon/Tycho" }), status: 422, code: "validation_failed", field: "time_zone"},
		{name: "a hold of a second", path: "/events", body: venueEvent(func(e *client.NewEvent) { e.HoldSeconds = 1 }), status: 422, code: "validation_failed", field: "hold_seconds"},
		{name: "a category the venue does not have", path: "/events", body: venueEvent(func(e *client.NewEvent) { e.TicketTypes[0].Category = "balcony" }), status: 422, code: "validation_failed", field: "ticket_types[0].category"},
		{name: "a category with two prices", path: "/events", body: venueEvent(func(e *client.NewEvent) { e.TicketTypes[1].Category = "front" }), status: 422, code: "validation_failed"},
		{name: "a venue that does not exist", path: "/events", body: venueEvent(func(e *client.NewEvent) { e.VenueID = newEventID() }), status: 422, code: "validation_failed", field: "venue_id"},
		{name: "a seat out of the world", path: "/venues", body: func() client.NewVenue {
			v := plan(1, 2)
			v.Sections[0].Rows[0].Seats[1].X = math.MaxFloat32
			return v
		}(), status: 422, code: "validation_failed", field: "sections[0].rows[0].seats[1].x"},
		{name: "two sections of one id", path: "/venues", body: func() client.NewVenue {
			v := plan(1, 2)
			v.Sections[1].ID = v.Sections[0].ID
			return v
		}(), status: 422, code: "validation_failed", field: "sections[1].id"},

		{name: "a change without If-Match", method: "PATCH", path: "/events/" + s.event.ID, body: object("name", "New"), status: 428, code: "precondition_required"},
		{name: "a change of another version", method: "PATCH", path: "/events/" + s.event.ID, body: object("name", "New"), header: http.Header{"If-Match": {`"999"`}}, status: 412, code: "precondition_failed"},
		{name: "a new currency while on sale", method: "PATCH", path: "/events/" + s.event.ID, body: object("currency", "USD"), header: http.Header{"If-Match": {fmt.Sprintf("%q", fmt.Sprint(s.event.Version))}}, status: 409, code: "event_not_editable"},
		{name: "deleting what is on sale", method: "DELETE", path: "/events/" + s.event.ID, status: 409, code: "event_not_editable"},
		{name: "publishing what is on sale", path: "/events/" + s.event.ID + "/publish", status: 409, code: "event_not_publishable"},

		{name: "a scan without an id", path: "/events/" + s.event.ID + "/check-ins", body: object("code", "x"), status: 422, code: "validation_failed", field: "scan_id"},
		{name: "a scan with an id of another version", path: "/events/" + s.event.ID + "/check-ins", body: object("scan_id", "7f0c7a39-6f67-4b54-9d3c-0a4bb0a5c0de", "code", "x"), status: 422, code: "validation_failed", field: "scan_id"},
		{name: "a scan of nothing", path: "/events/" + s.event.ID + "/check-ins", body: object("scan_id", newScanID(), "code", ""), status: 422, code: "validation_failed", field: "code"},
		{name: "a scan of a book", path: "/events/" + s.event.ID + "/check-ins", body: object("scan_id", newScanID(), "code", strings.Repeat("x", 1025)), status: 422, code: "validation_failed", field: "code"},
		{name: "an invented cursor of scans", method: "GET", path: "/events/" + s.event.ID + "/check-ins?cursor=x", status: 422, code: "validation_failed", field: "cursor"},
		{name: "an invented cursor of attendees", method: "GET", path: "/events/" + s.event.ID + "/attendees?cursor=x", status: 422, code: "validation_failed", field: "cursor"},

		{name: "a page of a thousand", method: "GET", path: "/bookings?limit=1000", status: 422, code: "validation_failed", field: "limit"},
		{name: "bookings of what is no event", method: "GET", path: "/bookings?event_id=x", status: 422, code: "validation_failed", field: "event_id"},
		{name: "an invented cursor", method: "GET", path: "/events?cursor=x", status: 422, code: "validation_failed", field: "cursor"},
		{name: "a booking id out of the blue", method: "GET", path: "/bookings/" + newEventID(), status: 404, code: "not_found"},
		{name: "an address nobody serves", method: "GET", path: "/box-office", status: 404, code: "not_found"},
		{name: "a method nobody takes", method: "PUT", path: "/bookings", body: object(), status: 405, code: "method_not_allowed"},
	}
	verify(t, buyer)
	before := snapshot(t, s, buyer)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			who := buyer.Client
			if tt.path == "/venues" || strings.HasPrefix(tt.path, "/events") {
				who = s.organizer.Client
			}
			method := tt.method
			if method == "" {
				method = http.MethodPost
			}
			path, query, _ := strings.Cut(tt.path, "?")
			if query != "" {
				path += "?" + query
			}
			resp := must(who.Do(t.Context(), client.Request{Method: method, Path: path, Body: tt.body, Header: tt.header}))(t)
			p := resp.Problem()
			if resp.Status != tt.status || p.Code != tt.code {
				t.Fatalf("got %d %.400s, want %d %s", resp.Status, resp.Body, tt.status, tt.code)
			}
			named := map[string]bool{}
			for _, e := range p.Errors {
				named[e.Field] = true
			}
			if tt.field != "" && !named[tt.field] {
				t.Errorf("the wrong fields named are %v, want %s", maps.Collect(maps.All(named)), tt.field)
			}
		})
	}
	if diff := cmp.Diff(before, snapshot(t, s, buyer)); diff != "" {
		t.Errorf("something has changed:\n%s", diff)
	}
}

// snapshot is everything that bad input could have changed.
func snapshot(t *testing.T, s sale, buyer account) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, path := range []string{"/events/" + s.event.ID, "/events/" + s.event.ID + "/seats", "/bookings", "/auth/me", "/events?mine=true"} {
		who := buyer.Client
		if strings.Contains(path, "mine") {
			who = s.organizer.Client
		}
		out[path] = string(must(who.Do(t.Context(), client.Request{Method: http.MethodGet, Path: path}))(t).Body)
	}
	return out
}

func TestEveryWrongFieldIsNamed(t *testing.T) {
	organizer := newOrganizer(t)
	venue := must(organizer.CreateVenue(t.Context(), plan(1, 2)))(t)
	e := draftOf(venue)
	e.Name, e.Currency, e.TicketTypes[0].Price, e.HoldSeconds = "", "X", -5, 1
	_, err := organizer.CreateEvent(t.Context(), e)
	p := problemWith(t, err, 422, "validation_failed")
	named := map[string]bool{}
	for _, f := range p.Errors {
		named[f.Field] = true
	}
	want := map[string]bool{"name": true, "currency": true, "ticket_types[0].price": true, "hold_seconds": true}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("fields named (-want +got):\n%s", diff)
	}
}

func TestHoldsAreAcceptedOnlyDuringSale(t *testing.T) {
	buyer := newBuyer(t)
	now := time.Now().UTC().Truncate(time.Second)
	t.Run("before", func(t *testing.T) {
		s := newSale(t, func(e *client.NewEvent) { e.SaleStartsAt = now.Add(time.Hour) })
		_, err := buyer.Hold(t.Context(), s.seats("1-0"), "")
		wantCode(t, err, 409, "sale_not_started")
	})
	t.Run("after", func(t *testing.T) {
		end := now.Add(6 * time.Second) // an event whose sale is over can't be published
		s := newSale(t, func(e *client.NewEvent) { e.SaleEndsAt = end })
		must(buyer.Hold(t.Context(), s.seats("1-0"), ""))(t)
		testkit.Eventually(t, "a hold after the end is refused", func() bool {
			_, err := buyer.Hold(t.Context(), s.seats("1-0"), "")
			return client.IsCode(err, "sale_ended")
		})
		if time.Now().Before(end.Add(-time.Second)) {
			t.Error("the sale ended early")
		}
	})
	t.Run("of a draft", func(t *testing.T) {
		organizer := newOrganizer(t)
		venue := must(organizer.CreateVenue(t.Context(), plan(1, 2)))(t)
		draft := must(organizer.CreateEvent(t.Context(), draftOf(venue)))(t)
		_, err := buyer.Hold(t.Context(), client.NewBooking{EventID: draft.ID, SeatIDs: []string{"1-0"}}, "")
		wantCode(t, err, 409, "event_not_on_sale")
	})
}
