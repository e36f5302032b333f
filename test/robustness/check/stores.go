package check

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/robustness/model"
)

// stores checks I1 from Cassandra's final state, independent of the clients'
// view.
func (c *checker) stores() Verdict {
	v := Verdict{ID: "I1", Title: "No seat is sold twice (the log in Cassandra, oversold_seats_total)", Of: "seats"}
	for _, sale := range c.Sales {
		state := c.States[sale.ID]
		v.Checked += len(state.Owners)
		for _, seat := range state.SoldTwice {
			v.violated("seat %s of %s was given to a booking while another owned it", seat, sale.Name)
		}
		for _, what := range state.Inconsistent {
			v.violated("the log of %s: %s", sale.Name, what)
		}
		live := map[string]uuid.UUID{}
		for i := range state.Bookings {
			b := &state.Bookings[i]
			if !b.Live() {
				continue
			}
			for _, seat := range b.Seats {
				if other, twice := live[seat]; twice {
					v.violated("seat %s of %s is sold twice: to %s and to %s", seat, sale.Name, other, b.ID)
				}
				live[seat] = b.ID
				if state.Owners[seat] != b.ID {
					v.violated("seat %s of %s is in the live booking %s, but belongs to %s", seat, sale.Name, b.ID, state.Owners[seat])
				}
			}
		}
		for seat, owner := range state.Owners {
			if owner != uuid.Nil && live[seat] != owner {
				v.violated("seat %s of %s belongs to %s, which is not a live booking of that seat", seat, sale.Name, owner)
			}
		}
	}
	if c.Oversold > 0 {
		v.violated("oversold_seats_total was %v at a replica", c.Oversold)
	}
	return v
}

// DoubleSold counts the seats that were given to a booking while another owned
// them.
func DoubleSold(obs *Observations) int {
	n := 0
	for _, state := range obs.States {
		n += len(state.SoldTwice)
	}
	return n
}

// deadlines checks I4.
func (c *checker) deadlines() Verdict {
	const most = 5 * 1e9
	v := Verdict{ID: "I4", Title: "Every hold ends at most 5 s after its deadline", Of: "holds"}
	var worst int64
	for _, s := range c.timelines {
		b := s.stored
		if b == nil {
			continue
		}
		v.Checked++
		deadline := c.Recorder.At(b.ExpiresAt)
		end := int64(model.Forever)
		switch {
		case b.ConfirmedAt != nil:
			end = c.Recorder.At(*b.ConfirmedAt)
		case b.EndedAt != nil:
			end = c.Recorder.At(*b.EndedAt)
		}
		// What the log says, and what the buyer saw.
		for _, r := range s.reads {
			if r.booking.Status == "held" && r.start > deadline+most && r.start > end {
				end = r.start
			}
		}
		excused := c.earliestEnd(deadline, most)
		if end-deadline > most && excused > deadline {
			v.Excused++
		}
		late := end - excused
		worst = max(worst, late)
		if late > most {
			v.violated("booking %s (%s) ended %s after its deadline, or after the outage that delayed it", s.id, b.Status, seconds(late))
		}
	}
	v.Note = "the latest " + seconds(worst) + " after its deadline"
	return v
}

// earliestEnd returns the earliest time a hold could be ended: its deadline, or the
// end of an outage within the time allowed for it.
func (c *checker) earliestEnd(deadline, allowed int64) int64 {
	for changed := true; changed; {
		changed = false
		for _, o := range c.Outages {
			if (o.Of == NoBooking || o.Of == NoQuorum) && o.Start <= deadline+allowed && o.End > deadline {
				deadline, changed = o.End, true
			}
		}
	}
	return deadline
}

// rediscovery is how long after event-service's return the gateways may still
// consider it down: until Consul's next check.
const rediscovery = int64(3 * time.Second)

// availability checks I6.
func (c *checker) availability() Verdict {
	v := Verdict{ID: "I6", Title: "Events can be viewed throughout", Of: "views"}
	for _, view := range c.Views {
		v.Checked++
		switch {
		case view.OK:
		case c.noGatewayUpThroughout(view.Start, view.End), c.excused(view.Start-rediscovery, view.End, NoSource):
			v.Excused++
		default:
			v.violated("at %s no gateway showed the event: %s", seconds(view.Start), view.Reason)
		}
	}
	return v
}

// noGatewayUpThroughout reports whether every gateway was down at some time
// during a request. Two gateways may have been down one after the other, so
// that one was up at any time, and the request may have met each while it was
// down.
func (c *checker) noGatewayUpThroughout(start, end int64) bool {
	for _, gateway := range c.Gateways {
		down := slices.ContainsFunc(c.Outages, func(o Outage) bool {
			return o.Of == NoGateway && o.Process == gateway && start <= o.End && end >= o.Start
		})
		if !down {
			return false
		}
	}
	return true
}

// settled checks that everything ends once there are no more faults.
func (c *checker) settled() Verdict {
	v := Verdict{ID: "settled", Title: "Everything ends after the last fault", Of: "rounds", Checked: 1}
	for _, what := range c.Open {
		v.violated("%s", what)
	}
	return v
}
