package main

import (
	"time"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

// moment is a second of a sale. Called and holds count those since the moment
// before it.
type moment struct {
	at              time.Duration
	called, holds   int
	current, idle   int
	limit           float64
	p99             time.Duration
	available, sold int
	reason          rest.AdmissionReason
}

// result is what happened in a sale.
type result struct {
	moments []moment
	// called, admitted and inVain count people: whose turn it was, who shopped,
	// and who then left without seats. holds counts accepted holds.
	called, admitted, inVain, holds int
	// allHeld is when no seat was available for the first time; sold is when 98 %
	// were sold. The last seats sell by chance: each time a hold of one expires.
	allHeld, sold time.Duration
	// What the law promises and did not happen: people without an admission held
	// seats, steps called people while no seat was available, or beyond the crowd.
	intruders, withoutSeats, beyondCrowd int
}

// check checks a step that called people.
func (r *result) check(available, current int, limit float64) {
	if available == 0 {
		r.withoutSeats++
	}
	if float64(current) > limit {
		r.beyondCrowd++
	}
}

// observer counts what happened since the last moment.
type observer struct{ called, holds int }

func (s *simulation) observeMoment(since *observer) {
	if s.now < 0 {
		return
	}
	r, f := &s.result, s.state.QueueFigures(s.clock())
	available, _, sold := s.state.Counts()
	r.moments = append(r.moments, moment{
		at: s.now, called: r.called - since.called, holds: r.holds - since.holds, current: f.Called + f.Shopping, idle: f.Idle,
		limit: s.owner.decision.Crowd, p99: s.owner.p99(), available: available, sold: sold, reason: s.owner.decision.Reason,
	})
	*since = observer{r.called, r.holds}
	if available == 0 && r.allHeld == 0 {
		r.allHeld = s.now
	}
	if 100*sold >= 98*s.seats && r.sold == 0 {
		r.sold = s.now
	}
}

// p99 returns the largest p99 of a second, and the share of seconds with one
// above the target.
func (r *result) p99() (largest time.Duration, slow float64) {
	for _, m := range r.moments {
		largest = max(largest, m.p99)
		if m.p99 > target {
			slow += 1 / float64(len(r.moments))
		}
	}
	return largest, slow
}
