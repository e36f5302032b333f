package check

import (
	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

// durability checks I2: what a 2xx response acknowledged exists at the end, in the
// state of the last response.
func (c *checker) durability() Verdict {
	v := Verdict{ID: "I2", Title: "Acknowledged changes persist", Of: "answers"}
	payments := map[string]audit.StoredPayment{}
	for _, state := range c.States {
		for _, p := range state.Payments {
			payments[p.ID.String()] = p
		}
	}
	for _, a := range c.attempts {
		for _, answer := range a.answers {
			v.Checked++
			stored := c.timeline(answer.ID, a.event).stored
			switch {
			case stored == nil:
				v.violated("booking %s of %s was acknowledged with 201 and is not stored", answer.ID, a.who)
			case !sameSeats(answer.SeatIDs(), stored.Seats) || answer.Total.Amount != stored.Total:
				v.violated("booking %s was acknowledged with seats %v for %d and is stored with %v for %d",
					answer.ID, answer.SeatIDs(), answer.Total.Amount, stored.Seats, stored.Total)
			case len(a.want) > 0 && !sameSeats(a.want, answer.SeatIDs()):
				v.violated("booking %s: requested %v, got %v", answer.ID, a.want, answer.SeatIDs())
			}
		}
	}
	for _, s := range c.timelines {
		c.checkDurable(&v, s, payments)
	}
	for event := range c.cancelled {
		for i := range c.States[event].Bookings {
			if b := &c.States[event].Bookings[i]; b.Live() && c.acknowledged(history.CancelEvent, event) {
				v.violated("event %s was cancelled, and its booking %s is still %s", event, b.ID, b.Status)
			}
		}
	}
	return v
}

func (c *checker) acknowledged(kind history.Kind, event string) bool {
	for i := range c.calls {
		if c.calls[i].Kind == kind && c.calls[i].EventID == event && c.calls[i].Outcome == history.Done {
			return true
		}
	}
	return false
}

func (c *checker) checkDurable(v *Verdict, s *timeline, payments map[string]audit.StoredPayment) {
	for i := range s.paid {
		call := &s.paid[i]
		if call.Outcome != history.Done {
			continue
		}
		v.Checked++
		if p, stored := payments[call.Payment.ID]; !stored || p.BookingID.String() != s.id {
			v.violated("payment %s of booking %s was acknowledged with 202 and is not stored", call.Payment.ID, s.id)
		}
	}
	if s.stored == nil {
		return
	}
	for i := range s.cancels {
		if s.cancels[i].Outcome != history.Done {
			continue
		}
		v.Checked++
		if s.stored.Status != "cancelled" {
			v.violated("booking %s was cancelled with 200 and is %s", s.id, s.stored.Status)
		}
	}
	if len(s.reads) == 0 {
		if s.attempt != nil && len(s.attempt.answers) > 0 {
			v.violated("booking %s is not in its buyer's list", s.id)
		}
		return
	}
	v.Checked++
	last := s.reads[len(s.reads)-1]
	if !last.final && s.attempt != nil && len(s.attempt.answers) > 0 {
		v.violated("booking %s is not in its buyer's list", s.id)
	}
	if last.final && last.booking.Status != s.stored.Status {
		v.violated("booking %s was read as %s at the end and is stored as %s", s.id, last.booking.Status, s.stored.Status)
	}
}
