package upstream

import (
	"encoding/json"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
)

// Key identifies the event of a request, so that its requests go to the same replica. The zero Key
// means no event.
type Key struct {
	hash uint64
	set  bool
}

// IDKey returns the key for the id of an event or booking. It returns the zero Key if text is not a
// UUID; the service will refuse the request.
func IDKey(text string) Key {
	id, err := uuid.Parse(text)
	if err != nil {
		return Key{}
	}
	return Key{hash: rendezvous.Event(id), set: true}
}

// EventID returns the event_id in a body. It returns "" for a body without one; the service will refuse the
// request.
func EventID(body []byte) string {
	var hold struct {
		EventID string `json:"event_id"`
	}
	if json.Unmarshal(body, &hold) != nil {
		return ""
	}
	return hold.EventID
}
