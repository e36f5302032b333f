package check

import (
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

// idempotency checks I5: one booking per key, one payment per key, one effect per
// payment, and no effect of refused requests.
func (c *checker) idempotency() Verdict {
	v := Verdict{ID: "I5", Title: "A retry has no second effect, and a refusal has none", Of: "keys"}
	for _, a := range c.attempts {
		v.Checked++
		for _, answer := range a.answers {
			if answer.ID != a.answers[0].ID {
				v.violated("one Idempotency-Key of %s made the bookings %s and %s", a.who, a.answers[0].ID, answer.ID)
			}
		}
	}
	for _, s := range c.timelines {
		if s.stored != nil && s.attempt == nil {
			v.violated("booking %s of %s exists, but every request that could have made it was refused, or made another",
				s.id, c.Users[s.stored.UserID.String()])
		}
	}
	made := map[uuid.UUID]int{}
	for _, state := range c.States {
		for _, p := range state.Payments {
			made[p.BookingID]++
			if p.Captured > p.Amount || p.Refunded > p.Captured {
				v.violated("payment %s of %d captured %d and refunded %d", p.ID, p.Amount, p.Captured, p.Refunded)
			}
		}
	}
	for _, s := range c.timelines {
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
				v.violated("one Idempotency-Key made the payments %s and %s", first, call.Payment.ID)
			}
			answered[call.Key] = call.Payment.ID
		}
		v.Checked += len(mayBe)
		id, err := uuid.Parse(s.id)
		if err == nil && made[id] > len(mayBe) {
			v.violated("booking %s has %d payments, but only %d requests can have made one", s.id, made[id], len(mayBe))
		}
	}
	return v
}
