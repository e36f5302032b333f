// Package admission decides how many people of a queue may shop at once, by
// feedback. It has no clock and does no I/O: the caller ticks a Controller once
// a second with what it measured.
//
// The problem is congestion control: the people who shop are the packets in
// flight, a hold is the acknowledgement, and the time from a person's turn to
// the hold is the round trip. It takes 10 to 60 seconds, so what the controller
// measures tells about people whom it called long ago. Growth by time would
// therefore overshoot. The law follows TCP instead:
//
//   - The crowd is a window (RFC 5681). It grows by completed holds, so the speed
//     of growth follows the delay of the feedback, whatever that is.
//   - Slow start: each hold adds startPerHold people. Since the first holds come
//     late, up to startCrowd people are called at startPerSecond whatever holds
//     come. A constant rate of calls is safe however long people take, because
//     the rate of holds can't exceed it. Slow start ends when the p99 exceeds a
//     fraction of the target, before holds are too slow (the idea of HyStart++,
//     RFC 9406), and the crowd eases off: people who will hold soon have been
//     called already.
//   - Congestion avoidance: above the threshold, each hold adds growPerHold
//     people. Multiplicative decrease: when holds are too slow or are refused,
//     the crowd shrinks by the factor shrink (AIMD: Chiu and Jain, 1989). There is
//     one decrease per congestion, since those who shop already cause the rest of
//     it.
//   - Until holds are fast and the crowd has shrunk, each hold calls
//     callPerHold people (proportional rate reduction, RFC 6937). To call nobody
//     would leave the seats unsold a round trip later.
//   - The crowd grows only while it is full (congestion window validation, RFC
//     7661), and calls are paced, so that a pause does not end in a burst.
//
// People who have not come or not held for long are idle: they are not part of
// the crowd, so accounts that only take places do not stop the sale. The crowd
// never shrinks below leastCrowd, so that seats keep selling. docs/queue.md has
// what the law does in simulated sales.
package admission

import (
	"math"
	"time"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

const (
	// startPerSecond is how many people are called a second before there are
	// holds. An owner of an event decides thousands of holds a second
	// (docs/performance.md).
	startPerSecond = 200
	startCrowd     = 6000
	startPerHold   = 0.5
	growPerHold    = 0.25
	callPerHold    = 0.5
	// leastCrowd is the least number of people who may shop at once.
	leastCrowd = 50
	// calm is the fraction of the target up to which the crowd grows. Slow start
	// ends at the fraction hasty; ease is the factor by which the crowd shrinks
	// then.
	calm  = 0.5
	hasty = 0.25
	ease  = 0.75
	// shrink is the factor of a decrease.
	shrink = 0.7
	// used is the fraction of the crowd that must shop for the crowd to grow.
	used = 0.8
	// A p99 of fewer than fewHolds holds is the time of one slow hold. It must
	// stay too long for patience ticks to count.
	fewHolds = 100
	patience = 5
	// forget is the factor by which the number of recent holds decays each tick.
	forget = 0.7
	// paceCrowd is the fraction of the crowd, and paceHolds the multiple of the
	// rate of holds, up to which people are called a second.
	paceCrowd = 0.1
	paceHolds = 1.5
	// longestTick limits what a late tick makes up for.
	longestTick = 5 * time.Second
)

// Observation is what the owner of an event's log measured since the previous
// tick.
type Observation struct {
	// Elapsed is the time since the previous tick.
	Elapsed time.Duration
	// Holds counts the holds decided since the previous tick.
	Holds int
	// P99 is the 99th percentile of the time that recent holds took, 0 without
	// any. It should cover about three seconds.
	P99 time.Duration
	// Overloaded counts the holds that were refused because the queue was full.
	Overloaded int
	// Waiting counts the people who wait, Called those whose turn it is and who
	// have not come, Shopping those who are admitted and have no live booking.
	Waiting, Called, Shopping int
	// Idle counts those of Called who have not come for long, and those of
	// Shopping who have held nothing for long.
	Idle int
	// Available and Held count seats.
	Available, Held int
	// SeatsPerBooking is the average so far, 0 without bookings.
	SeatsPerBooking float64
	// MaxPerMinute is the organiser's limit, 0 without one.
	MaxPerMinute int
	// Paused is whether the organiser has paused the queue.
	Paused bool
}

// Decision is how many people to call.
type Decision struct {
	// Crowd is how many people may shop at once, the idle ones included: called +
	// shopping <= crowd.
	Crowd float64
	// Most is how many people may be called until the next tick.
	Most int
	// Reason is what limits the admissions.
	Reason rest.AdmissionReason
}

// Controller decides how many people of one queue may shop at once.
type Controller struct {
	target time.Duration
	// crowd is how many people may shop at once, without the idle ones. Below
	// threshold it grows fast.
	crowd, threshold float64
	// restored is set until the first tick of a controller that goes on with the
	// crowd of another one, which includes idle people.
	restored bool
	// congested is set while the crowd shrinks to the threshold.
	congested bool
	evidence  evidence
	demand    seatDemand
	// allowance is how many people the organiser's limit allows to call.
	allowance float64
}

// New returns a controller that keeps the p99 of holds below target. Crowd is
// the last Decision's of the queue, or 0 for a new queue.
func New(target time.Duration, crowd float64) *Controller {
	c := &Controller{target: target, crowd: startPerSecond, threshold: math.Inf(1), demand: newSeatDemand()}
	if crowd > 0 {
		c.crowd, c.threshold, c.restored = crowd, crowd, true
	}
	return c
}

// Tick returns how many people to call after an observation.
func (c *Controller) Tick(o Observation) Decision {
	shopping := max(0, o.Called+o.Shopping-o.Idle)
	if c.restored {
		c.crowd, c.restored = max(leastCrowd, c.crowd-float64(o.Idle)), false
		c.threshold = c.crowd
	}
	seconds := min(o.Elapsed, longestTick).Seconds()
	growth := c.adjust(o, float64(shopping), seconds)
	c.demand.observe(o, shopping, seconds)

	limits := []struct {
		people float64
		reason rest.AdmissionReason
	}{
		{c.crowd - float64(shopping), growth},
		{c.organizer(o.MaxPerMinute, seconds), rest.AdmissionReasonOrganizer},
		{c.demand.people(o) - float64(shopping), rest.AdmissionReasonFewSeats},
		{seconds * max(startPerSecond, paceCrowd*c.crowd, paceHolds*float64(o.Holds)/max(seconds, 1)), growth},
	}
	least := limits[0]
	for _, limit := range limits[1:] {
		if limit.people < least.people {
			least = limit
		}
	}
	d := Decision{Crowd: c.crowd + float64(o.Idle), Most: int(max(0, least.people)), Reason: least.reason}
	switch {
	case o.Paused:
		d.Most, d.Reason = 0, rest.AdmissionReasonPaused
	case o.Available == 0:
		d.Most, d.Reason = 0, rest.AdmissionReasonNoSeats
	case o.Waiting <= d.Most:
		d.Reason = rest.AdmissionReasonIdle
	}
	if o.MaxPerMinute > 0 {
		c.allowance -= float64(min(d.Most, o.Waiting))
	}
	return d
}

// adjust grows or shrinks the crowd. It returns why the crowd has its size.
func (c *Controller) adjust(o Observation, shopping, seconds float64) rest.AdmissionReason {
	slow, warm := c.evidence.slow(o, c.target), o.P99 > time.Duration(calm*float64(c.target))
	ends := o.P99 > time.Duration(hasty*float64(c.target))
	switch {
	case slow && !c.congested:
		c.congested, c.threshold = true, shrink*min(c.crowd, shopping)
	case ends && !c.congested && c.evidence.enough() && math.IsInf(c.threshold, 1):
		c.congested, c.threshold = true, ease*c.crowd
	case c.congested && !slow && shopping <= max(c.threshold, leastCrowd):
		c.congested, c.crowd = false, min(c.crowd, max(c.threshold, leastCrowd))
	}
	holds := float64(o.Holds)
	if c.congested {
		c.crowd = max(leastCrowd, min(c.crowd, shopping+callPerHold*holds))
		return rest.AdmissionReasonSlow
	}
	full := o.Waiting > 0 && shopping+holds >= used*c.crowd
	growth, reason := growPerHold*holds, rest.AdmissionReasonGrowing
	if c.crowd < c.threshold {
		growth, reason = startPerHold*holds, rest.AdmissionReasonStarting
		if c.crowd < startCrowd {
			growth = max(growth, startPerSecond*seconds)
		}
		growth = min(growth, c.threshold-c.crowd)
	}
	if warm || !full || growth == 0 {
		return rest.AdmissionReasonCrowdFull
	}
	c.crowd += growth
	return reason
}

// organizer returns how many people the organiser's limit allows to call now: a
// token bucket that holds the tokens of one second and one more.
func (c *Controller) organizer(perMinute int, seconds float64) float64 {
	if perMinute == 0 {
		c.allowance = 0
		return math.MaxInt32
	}
	perSecond := float64(perMinute) / 60
	c.allowance = min(c.allowance+perSecond*seconds, 1+perSecond)
	return c.allowance
}
