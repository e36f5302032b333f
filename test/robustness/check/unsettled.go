package check

import (
	"fmt"

	"github.com/google/uuid"
)

// Unsettled describes what has not yet ended for the events.
func Unsettled(obs *Observations) []string {
	var open []string
	add := func(format string, arguments ...any) { open = append(open, fmt.Sprintf(format, arguments...)) }
	for _, sale := range obs.Sales {
		state := obs.States[sale.ID]
		live := map[uuid.UUID]bool{}
		for i := range state.Bookings {
			b := &state.Bookings[i]
			live[b.ID] = b.Live()
			known := state.Known[b.ID]
			switch {
			case b.Status == "held":
				add("booking %s is held", b.ID)
			case b.Unsent:
				add("booking %s has unpublished messages", b.ID)
			case b.Payment != nil && b.Payment.Status == "refunding":
				add("booking %s waits for its refund", b.ID)
			case b.Status != "unknown" && !b.Live() && !known.Cancelled:
				add("payment-service does not know that booking %s has ended", b.ID)
			}
		}
		for _, p := range state.Payments {
			if p.Status == "processing" || p.Status == "refunding" {
				add("payment %s of booking %s is %s", p.ID, p.BookingID, p.Status)
			}
			if p.Status == "succeeded" && !live[p.BookingID] {
				add("payment %s is kept for booking %s, which has ended", p.ID, p.BookingID)
			}
		}
		for seat, owner := range state.Owners {
			if owner != uuid.Nil && !live[owner] {
				add("seat %s of %s still belongs to ended booking %s", seat, sale.Name, owner)
			}
		}
	}
	return open
}
