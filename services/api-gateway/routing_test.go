package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// served returns the replica that answered each of the bodies sent as holds.
func (w *world) served(session string, bodies ...string) []string {
	w.t.Helper()
	by := make([]string, len(bodies))
	for i, b := range bodies {
		by[i] = w.want(w.send("POST", "/api/v1/bookings", b, bearer(session)...), 200, "").body
	}
	return by
}

func TestRequestsForAnEventGoToItsOwner(t *testing.T) {
	w := newWorld(t)
	var replicas []*replica
	for n := range 3 {
		replicas = append(replicas, w.replica("booking-service", n, nil))
	}
	w.start()
	customer, _ := w.login(identity.Customer)
	organizer, _ := w.login(identity.Organizer)
	used := map[string]bool{}
	for range 20 {
		event, booking := uuid.New(), uuid.New()
		copy(booking[:8], event[:8])
		owner := w.served(customer, fmt.Sprintf(`{"event_id":%q,"seat_ids":["1-0","2-1"]}`, event))[0]
		used[owner] = true
		for _, by := range w.served(customer,
			fmt.Sprintf(`{"event_id":%q,"seat_ids":["7-250"]}`, event),
			fmt.Sprintf(`{"ticket_type_id":"t","quantity":9,"event_id":%q,"surplus":true}`, event)) {
			if by != owner {
				t.Errorf("a hold was served by %s, want the owner %s", by, owner)
			}
		}
		of, one := "/api/v1/events/"+event.String(), "/api/v1/bookings/"+booking.String()
		for _, r := range []struct{ session, method, path string }{
			{"", "GET", of + "/seats"},
			{organizer, "GET", of + "/sales"},
			{organizer, "GET", of + "/attendees"},
			{organizer, "GET", of + "/check-ins"},
			{organizer, "POST", of + "/check-ins"},
			{customer, "GET", one},
			{customer, "GET", one + "/tickets"},
			{customer, "POST", one + "/cancel"},
		} {
			var headers []string
			if r.session != "" {
				headers = bearer(r.session)
			}
			if by := w.want(w.send(r.method, r.path, "", headers...), 200, "").body; by != owner {
				t.Errorf("%s %s was served by %s, want the owner %s", r.method, r.path, by, owner)
			}
		}
		w.send("GET", of+"/seats/stream", "") // these replicas' response is not a stream
		for _, r := range replicas {
			asked := slices.ContainsFunc(r.requests(), func(s seen) bool { return s.uri == of+"/seats/stream" })
			if asked != (r.id == owner) {
				t.Errorf("the stream was requested from %s, want the owner %s", r.id, owner)
			}
		}
	}
	if len(used) != 3 {
		t.Errorf("20 events used the replicas %v only", used)
	}
	// The service refuses bodies that can't be parsed.
	w.served(customer, `{"event_id":`, `[]`, ``)
	w.want(w.send("GET", "/api/v1/events/e1/seats", ""), 200, "")
}

func TestSpreadSendsHoldsOfOneEventToAllReplicas(t *testing.T) {
	w := newWorld(t)
	w.configure = func(c *config) { c.Routing = "spread" }
	for n := range 3 {
		w.replica("booking-service", n, nil)
	}
	w.start()
	id, _ := w.login(identity.Customer)
	count := map[string]int{}
	for range 9 {
		count[w.served(id, `{"event_id":"0190b0a0-0000-7000-8000-000000000001","seat_ids":["1-1"]}`)[0]]++
	}
	if len(count) != 3 || count["booking-service0"] != 3 {
		t.Errorf("spread over %v, want 3 each", count)
	}
}
