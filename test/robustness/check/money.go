package check

import (
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/audit"
)

// Difference is captured − refunded − the price of the confirmed bookings, in
// minor units, as the sum of absolute values over the bookings.
func Difference(obs *Observations) int64 {
	var sum int64
	for _, state := range obs.States {
		for _, d := range differences(state) {
			sum += max(d, -d)
		}
	}
	return sum
}

// differences returns the money that bookings hold without a seat, or lack.
func differences(state *audit.State) map[uuid.UUID]int64 {
	d := map[uuid.UUID]int64{}
	for _, p := range state.Payments {
		d[p.BookingID] += p.Captured - p.Refunded
	}
	for i := range state.Bookings {
		if b := &state.Bookings[i]; b.Status == "confirmed" {
			d[b.ID] -= b.Total
		}
	}
	for id, amount := range d {
		if amount == 0 {
			delete(d, id)
		}
	}
	return d
}

// money checks I3, booking by booking, and whether the payments table agrees
// with the provider's ledger.
func (c *checker) money() Verdict {
	v := Verdict{ID: "I3", Title: "Captured − refunded is the price of the confirmed bookings, to the cent", Of: "payments"}
	for _, sale := range c.Sales {
		state := c.States[sale.ID]
		for id, amount := range differences(state) {
			v.violated("booking %s of %s: captured − refunded − price is %d", id, sale.Name, amount)
		}
		for _, p := range state.Payments {
			v.Checked++
			kept := p.Captured - p.Refunded
			agrees := false
			switch p.Status {
			case "succeeded":
				agrees = kept == p.Amount
			case "failed":
				agrees = kept == 0
			case "refunded":
				agrees = kept == 0 && p.Refunded == p.Amount
			}
			if !agrees {
				v.violated("payment %s of %d is %s; the provider has captured %d and refunded %d", p.ID, p.Amount, p.Status, p.Captured, p.Refunded)
			}
		}
	}
	return v
}

// outbox checks that messages stored with a change have reached their
// receivers. A booking unknown to payment-service can't be paid.
func (c *checker) outbox() Verdict {
	v := Verdict{ID: "outbox", Title: "Every stored message is delivered (a held booking can be paid, an ended one cannot)", Of: "bookings"}
	for _, sale := range c.Sales {
		state := c.States[sale.ID]
		for i := range state.Bookings {
			b := &state.Bookings[i]
			if b.Status == "unknown" {
				continue
			}
			v.Checked++
			known, heard := state.Known[b.ID]
			switch {
			case !heard || known.Currency == "":
				v.violated("payment-service does not know booking %s", b.ID)
			case known.Amount != b.Total:
				v.violated("booking %s costs %d, payment-service charges %d", b.ID, b.Total, known.Amount)
			case known.Cancelled == b.Live():
				v.violated("booking %s is %s, but payment-service has cancelled=%t", b.ID, b.Status, known.Cancelled)
			}
		}
	}
	return v
}
