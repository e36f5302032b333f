package main

import (
	"fmt"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// served returns which replica answered each of the bodies sent as holds.
func (w *world) served(session string, bodies ...string) []string {
	w.t.Helper()
	by := make([]string, len(bodies))
	for i, b := range bodies {
		by[i] = w.want(w.send("POST", "/api/v1/bookings", b, bearer(session)...), 200, "").body
	}
	return by
}

func TestHoldsOfOneBlockGoToOneReplica(t *testing.T) {
	w := newWorld(t)
	for n := range 3 {
		w.replica("booking-service", n, nil)
	}
	w.start()
	id, _ := w.login(identity.Customer)
	used := map[string]bool{}
	for block := range 20 {
		by := w.served(id,
			fmt.Sprintf(`{"event_id":"0190b0a0-0000-7000-8000-000000000001","seat_ids":["%d-0","%d-1"]}`, block+1, block+1),
			fmt.Sprintf(`{"event_id":"0190b0a0-0000-7000-8000-000000000001","seat_ids":["%d-250"]}`, block+1),
			fmt.Sprintf(`{"seat_ids":["%d-7"],"event_id":"0190b0a0-0000-7000-8000-000000000001","surplus":true}`, block+1))
		if by[0] != by[1] || by[1] != by[2] {
			t.Errorf("block %d was served by %v", block+1, by)
		}
		used[by[0]] = true
	}
	if len(used) != 3 {
		t.Errorf("20 blocks used the replicas %v only", used)
	}
	by := w.served(id, `{"event_id":"0190b0a0-0000-7000-8000-000000000001","ticket_type_id":"t","quantity":2}`, `{"event_id":"0190b0a0-0000-7000-8000-000000000001","ticket_type_id":"t","quantity":9}`)
	if by[0] != by[1] {
		t.Errorf("one ticket type was served by %v", by)
	}
	seats := w.send("GET", "/api/v1/events/e1/seats", "").body
	for range 10 {
		if again := w.send("GET", "/api/v1/events/e1/seats", "").body; again != seats {
			t.Errorf("one event's seats came from %s and %s", seats, again)
		}
	}
	// What can't be read is the service's to refuse.
	w.served(id, `{"event_id":`, `[]`, ``)
}

func TestSpreadSendsHoldsOfOneBlockToAllReplicas(t *testing.T) {
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
