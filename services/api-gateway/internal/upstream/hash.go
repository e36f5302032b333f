package upstream

import (
	"encoding/json"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
)

// Key is what requests that belong together have in common. The zero Key
// belongs to nothing.
type Key struct {
	hash uint64
	set  bool
}

// IDKey returns the key of a request by the id of its event or booking. Text
// that is no UUID belongs to nothing; the service will refuse it.
func IDKey(text string) Key {
	id, err := uuid.Parse(text)
	if err != nil {
		return Key{}
	}
	return Key{hash: rendezvous.Event(id), set: true}
}

// EventKey returns the key of a request by the event_id in its body. A body
// without one belongs to nothing; the service will refuse it.
func EventKey(body []byte) Key {
	var hold struct {
		EventID string `json:"event_id"`
	}
	if json.Unmarshal(body, &hold) != nil {
		return Key{}
	}
	return IDKey(hold.EventID)
}
