package admission

import "time"

// evidence tells whether holds are too slow from p99s that may be of few holds.
type evidence struct {
	// holds counts the recent holds; above counts the ticks in a row whose p99 was
	// above the target.
	holds float64
	above int
}

func (e *evidence) slow(o Observation, target time.Duration) bool {
	e.holds = forget*e.holds + float64(o.Holds)
	if o.P99 > target {
		e.above++
	} else {
		e.above = 0
	}
	return o.Overloaded > 0 || e.above > 0 && (e.enough() || e.above >= patience)
}

func (e *evidence) enough() bool { return e.holds >= fewHolds }
