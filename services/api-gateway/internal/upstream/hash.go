package upstream

import (
	"encoding/json"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Key is what requests that belong together have in common. The zero Key
// belongs to nothing.
type Key struct {
	hash uint64
	set  bool
}

// NewKey returns the key of some text.
func NewKey(text string) Key { return Key{hash: xxhash.Sum64String(text), set: true} }

// score ranks an instance for a key: rendezvous hashing (Thaler, Ravishankar
// 1996). Every gateway ranks alike, and when an instance goes only its own keys
// move. The mixing is splitmix64's.
func (k Key) score(instance uint64) uint64 {
	x := k.hash ^ instance
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// BlockKey returns the key of a hold by its body: the event and the block of
// the first seat, or the ticket type when the seats are to be chosen. A body
// that does not say belongs to nothing; the service will refuse it.
func BlockKey(body []byte) Key {
	var hold struct {
		EventID      string   `json:"event_id"`
		SeatIDs      []string `json:"seat_ids"`
		TicketTypeID string   `json:"ticket_type_id"`
	}
	if json.Unmarshal(body, &hold) != nil || hold.EventID == "" {
		return Key{}
	}
	if len(hold.SeatIDs) > 0 {
		block, _, _ := strings.Cut(hold.SeatIDs[0], "-")
		return NewKey(hold.EventID + "/" + block)
	}
	return NewKey(hold.EventID + "//" + hold.TicketTypeID)
}
