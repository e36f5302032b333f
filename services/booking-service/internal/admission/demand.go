package admission

import "time"

const (
	// overwhelmed is how many ticks in a row must be too slow to start a queue.
	overwhelmed = 2
	// quiet is how long nobody must wait for a queue to end.
	quiet = time.Minute
)

// Demand decides when an automatic queue starts and ends.
type Demand struct {
	target   time.Duration
	evidence evidence
	slow     int
	quiet    time.Duration
}

// NewDemand returns the demand of a queue with the target p99.
func NewDemand(target time.Duration) *Demand { return &Demand{target: target} }

// Tick reports whether the queue should be active after an observation. It
// starts when holds are too slow or refused for overload in two ticks in a row.
// It ends when nobody has waited for a minute while the p99 was at most half of
// the target.
func (d *Demand) Tick(o Observation, active bool) bool {
	if d.evidence.slow(o, d.target) {
		d.slow++
	} else {
		d.slow = 0
	}
	if active && o.Waiting == 0 && o.P99 <= d.target/2 && d.slow == 0 {
		d.quiet += o.Elapsed
	} else {
		d.quiet = 0
	}
	if active {
		return d.quiet < quiet
	}
	return d.slow >= overwhelmed
}
