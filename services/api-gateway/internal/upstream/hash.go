package upstream

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
)

// Key is what requests that belong together have in common. The zero Key
// belongs to nothing.
type Key struct {
	hash uint64
	set  bool
}

// NewKey returns the key of some text.
func NewKey(text string) Key { return Key{hash: rendezvous.Hash(text), set: true} }

// BlockKey returns the key of a hold by its body: the event and the block of
// the first seat, or the ticket type when the seats are to be chosen. A body
// that does not say belongs to nothing; the service will refuse it.
func BlockKey(body []byte) Key {
	var hold struct {
		EventID      uuid.UUID `json:"event_id"`
		SeatIDs      []string  `json:"seat_ids"`
		TicketTypeID string    `json:"ticket_type_id"`
	}
	if json.Unmarshal(body, &hold) != nil || hold.EventID == uuid.Nil {
		return Key{}
	}
	if len(hold.SeatIDs) == 0 {
		return NewKey(hold.EventID.String() + "//" + hold.TicketTypeID)
	}
	number, _, _ := strings.Cut(hold.SeatIDs[0], "-")
	block, err := strconv.Atoi(number)
	if err != nil {
		return Key{}
	}
	return Key{hash: rendezvous.Block(hold.EventID, block), set: true}
}
