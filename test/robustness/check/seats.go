package check

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/model"
)

const (
	// clockTolerance is how far apart the clocks of Cassandra's nodes may be: a
	// hold may end this much before its deadline.
	clockTolerance = time.Second
	// seatTimeout limits the checker's time for one seat.
	seatTimeout = 10 * time.Second
	// maxVisualizations limits the violations that are visualized.
	maxVisualizations = 5
)

// seats checks I1 from the clients' view: the history of each seat must be
// possible for a single seat.
func (c *checker) seats() Verdict {
	v := Verdict{ID: "I1", Title: "A seat belongs to at most one live booking (histories, by porcupine)", Of: "seats"}
	partitions := map[string][]model.Operation{}
	for _, s := range c.timelines {
		operations := c.operations(&v, s)
		if s.stored == nil {
			continue
		}
		for _, seat := range s.stored.Seats {
			name := s.event + " " + seat
			partitions[name] = append(partitions[name], operations...)
		}
	}
	type finding struct {
		name   string
		result porcupine.CheckResult
		info   porcupine.LinearizationInfo
	}
	var mu sync.Mutex
	var findings []finding
	var group sync.WaitGroup
	slots := make(chan struct{}, 2)
	operationCount := 0
	for name, operations := range partitions {
		operationCount += len(operations)
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			result, info := model.Check(operations, seatTimeout)
			if result != porcupine.Ok {
				mu.Lock()
				findings = append(findings, finding{name, result, info})
				mu.Unlock()
			}
		})
	}
	group.Wait()
	v.Checked = len(partitions)
	v.Note = fmt.Sprintf("%d operations", operationCount)
	for _, f := range findings {
		if f.result == porcupine.Unknown {
			v.Undecided++
			continue
		}
		violation := Violation{What: "the history of seat " + f.name + " is not linearizable"}
		if len(v.Violations) < maxVisualizations && c.Visualizations != "" {
			violation.Visualization = fmt.Sprintf("seat-%d.html", len(v.Violations)+1)
			if err := porcupine.VisualizePath(model.Seat, f.info, filepath.Join(c.Visualizations, violation.Visualization)); err != nil {
				violation.Visualization, violation.What = "", violation.What+" (no visualization: "+err.Error()+")"
			}
		}
		v.Violations = append(v.Violations, violation)
	}
	return v
}

// operations returns what happened to each seat of a booking, with bounds on
// the time. The log's claims about times and other clients are checked against
// the clients' requests: nothing may take effect before it was requested, or
// later than it was seen.
func (c *checker) operations(v *Verdict, s *timeline) []model.Operation {
	if s.stored == nil || s.attempt == nil {
		return nil // reported by idempotency and durability
	}
	add := func(list []model.Operation, action model.Action, start, end int64, what string) []model.Operation {
		if start > end {
			v.violated("booking %s was %s at %s, before it was possible: %s", s.id, what, seconds(end), seconds(start))
			start = end
		}
		return append(list, model.Operation{Action: action, Booking: s.id, Start: start, End: end})
	}
	var list []model.Operation
	heldBy := s.attempt.end
	if len(s.attempt.answers) == 0 {
		heldBy = s.firstSeen(func(*client.Booking) bool { return true })
	}
	list = add(list, model.Hold, s.attempt.start, heldBy, "held")
	b := s.stored
	if b.ConfirmedAt != nil {
		seen := s.firstSeen(func(b *client.Booking) bool { return b.Status == "confirmed" || !b.ConfirmedAt.IsZero() })
		if s.pay == 0 {
			v.violated("booking %s was confirmed without a payment", s.id)
		} else {
			list = add(list, model.Confirm, s.pay, seen, "confirmed")
		}
	}
	if !b.Live() {
		action, from := c.ending(v, s)
		list = add(list, action, from, s.firstSeen(ended), "ended ("+b.Reason+")")
	}
	for _, r := range s.reads {
		action := model.SeeEnded
		switch r.booking.Status {
		case "held":
			action = model.SeeHeld
		case "confirmed":
			action = model.SeeConfirmed
		}
		list = append(list, model.Operation{Action: action, Booking: s.id, Start: r.start, End: r.end})
	}
	return list
}

// ending returns how a booking ended, and the earliest time it may have.
func (c *checker) ending(v *Verdict, s *timeline) (model.Action, int64) {
	b := s.stored
	switch b.Reason {
	case "expired", "payment_failed":
		if b.ConfirmedAt != nil {
			v.violated("booking %s was confirmed and says that it %s", s.id, b.Reason)
		}
		return model.Expire, c.Recorder.At(b.ExpiresAt) - clockTolerance.Nanoseconds()
	case "cancelled_by_buyer":
		if s.cancel == 0 {
			v.violated("booking %s was cancelled by its buyer without a request", s.id)
		}
		return model.Release, s.cancel
	case "event_cancelled":
		at, asked := c.cancelled[s.event]
		if !asked {
			v.violated("booking %s ended with its event, which was not cancelled", s.id)
		}
		return model.Release, at
	}
	v.violated("booking %s (%s) ended for an unexpected reason: %s", s.id, b.Status, b.Reason)
	return model.Release, s.attempt.start
}
