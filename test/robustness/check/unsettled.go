package check

import (
	"fmt"

	"github.com/google/uuid"
)

// Unsettled describes what has not yet ended for the events.
func Unsettled(e *Evidence) []string {
	var open []string
	say := func(format string, arguments ...any) { open = append(open, fmt.Sprintf(format, arguments...)) }
	for _, sale := range e.Sales {
		books := e.Books[sale.ID]
		live := map[uuid.UUID]bool{}
		for i := range books.Bookings {
			b := &books.Bookings[i]
			live[b.ID] = b.Live()
			known := books.Known[b.ID]
			switch {
			case b.Status == "held":
				say("booking %s is held", b.ID)
			case b.Unsent:
				say("booking %s has messages to send", b.ID)
			case b.Payment != nil && b.Payment.Status == "refunding":
				say("booking %s waits for its refund", b.ID)
			case b.Status != "unknown" && !b.Live() && !known.Cancelled:
				say("payment-service has not heard that booking %s has ended", b.ID)
			}
		}
		for _, p := range books.Payments {
			if p.Status == "processing" || p.Status == "refunding" {
				say("payment %s of booking %s is %s", p.ID, p.BookingID, p.Status)
			}
			if p.Status == "succeeded" && !live[p.BookingID] {
				say("payment %s is kept for booking %s, which has ended", p.ID, p.BookingID)
			}
		}
		for seat, owner := range books.Owners {
			if owner != uuid.Nil && !live[owner] {
				say("seat %s of %s has not come back from booking %s", seat, sale.Name, owner)
			}
		}
	}
	return open
}
