package upstream

import (
	"testing"

	"github.com/google/uuid"
)

func TestEventAndItsBookingsShareAKey(t *testing.T) {
	event, booking, other := uuid.New(), uuid.New(), uuid.NewString()
	copy(booking[:8], event[:8])
	key := IDKey(event.String())
	if IDKey(booking.String()) != key {
		t.Error("a booking and its event have different keys")
	}
	if IDKey(other) == key {
		t.Error("two events have the same key")
	}
	for _, body := range []string{
		`{"event_id":"` + event.String() + `","seat_ids":["12-1","13-1"]}`,
		`{"ticket_type_id":"t","quantity":2,"event_id":"` + event.String() + `"}`,
	} {
		if IDKey(EventID([]byte(body))) != key {
			t.Errorf("%s and its event have different keys", body)
		}
	}
	for _, id := range []string{"", "e1", event.String()[:18]} {
		if IDKey(id).set {
			t.Errorf("the id %q has a key", id)
		}
	}
	for _, body := range []string{
		"", "{", "[]", `{"seat_ids":["1-1"]}`, `{"event_id":7}`, `{"event_id":"e","seat_ids":["1-1"]}`,
	} {
		if IDKey(EventID([]byte(body))).set {
			t.Errorf("%q has a key", body)
		}
	}
}
