package check

import (
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

// promises checks I2: what was answered with 2xx exists at the end, in the
// state of the last response.
func (c *court) promises() Verdict {
	v := Verdict{ID: "I2", Title: "What was answered 2xx is there at the end", Of: "answers"}
	payments := map[string]audit.StoredPayment{}
	for _, books := range c.Books {
		for _, p := range books.Payments {
			payments[p.ID.String()] = p
		}
	}
	for _, a := range c.attempts {
		for _, answer := range a.answers {
			v.Checked++
			stored := c.story(answer.ID, a.event).stored
			switch {
			case stored == nil:
				v.broken("booking %s of %s was answered 201 and is not stored", answer.ID, a.who)
			case !sameSeats(answer.SeatIDs(), stored.Seats) || answer.Total.Amount != stored.Total:
				v.broken("booking %s was answered with seats %v for %d and is stored with %v for %d",
					answer.ID, answer.SeatIDs(), answer.Total.Amount, stored.Seats, stored.Total)
			case len(a.want) > 0 && !sameSeats(a.want, answer.SeatIDs()):
				v.broken("booking %s: asked for %v, was answered %v", answer.ID, a.want, answer.SeatIDs())
			}
		}
	}
	for _, s := range c.stories {
		c.keptWord(&v, s, payments)
	}
	for event := range c.cancelled {
		for i := range c.Books[event].Bookings {
			if b := &c.Books[event].Bookings[i]; b.Live() && c.acknowledged(history.CancelEvent, event) {
				v.broken("event %s was cancelled, and its booking %s is still %s", event, b.ID, b.Status)
			}
		}
	}
	return v
}

func (c *court) acknowledged(kind history.Kind, event string) bool {
	for i := range c.calls {
		if c.calls[i].Kind == kind && c.calls[i].EventID == event && c.calls[i].Outcome == history.Done {
			return true
		}
	}
	return false
}

func (c *court) keptWord(v *Verdict, s *story, payments map[string]audit.StoredPayment) {
	for i := range s.paid {
		call := &s.paid[i]
		if call.Outcome != history.Done {
			continue
		}
		v.Checked++
		if p, stored := payments[call.Payment.ID]; !stored || p.BookingID.String() != s.id {
			v.broken("payment %s of booking %s was answered 202 and is not stored", call.Payment.ID, s.id)
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
			v.broken("booking %s was cancelled with 200 and is %s", s.id, s.stored.Status)
		}
	}
	if len(s.reads) == 0 {
		if s.attempt != nil && len(s.attempt.answers) > 0 {
			v.broken("booking %s is not in its buyer's list", s.id)
		}
		return
	}
	v.Checked++
	last := s.reads[len(s.reads)-1]
	if !last.final && s.attempt != nil && len(s.attempt.answers) > 0 {
		v.broken("booking %s is not in its buyer's list", s.id)
	}
	if last.final && last.booking.Status != s.stored.Status {
		v.broken("booking %s was read as %s at the end and is stored as %s", s.id, last.booking.Status, s.stored.Status)
	}
}

// retries checks I5: one booking per key, one payment per key, one effect per
// payment, and no effect of refused requests.
func (c *court) retries() Verdict {
	v := Verdict{ID: "I5", Title: "A retry never has a second effect, and a no has none", Of: "keys"}
	for _, a := range c.attempts {
		v.Checked++
		for _, answer := range a.answers {
			if answer.ID != a.answers[0].ID {
				v.broken("one Idempotency-Key of %s made the bookings %s and %s", a.who, a.answers[0].ID, answer.ID)
			}
		}
	}
	for _, s := range c.stories {
		if s.stored != nil && s.attempt == nil {
			v.broken("booking %s of %s exists, and every request that could have made it was answered no, or made another",
				s.id, c.Users[s.stored.UserID.String()])
		}
	}
	made := map[uuid.UUID]int{}
	for _, books := range c.Books {
		for _, p := range books.Payments {
			made[p.BookingID]++
			if p.Captured > p.Amount || p.Refunded > p.Captured {
				v.broken("payment %s of %d captured %d and refunded %d", p.ID, p.Amount, p.Captured, p.Refunded)
			}
		}
	}
	for _, s := range c.stories {
		answered, mayBe := map[string]string{}, map[string]bool{}
		for _, call := range s.paid {
			if call.Outcome == history.NotDone {
				continue
			}
			mayBe[call.Key] = true
			if call.Outcome != history.Done {
				continue
			}
			if first, again := answered[call.Key]; again && first != call.Payment.ID {
				v.broken("one Idempotency-Key made the payments %s and %s", first, call.Payment.ID)
			}
			answered[call.Key] = call.Payment.ID
		}
		v.Checked += len(mayBe)
		id, err := uuid.Parse(s.id)
		if err == nil && made[id] > len(mayBe) {
			v.broken("booking %s has %d payments, and %d requests that can have made one", s.id, made[id], len(mayBe))
		}
	}
	return v
}
