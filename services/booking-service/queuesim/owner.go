package main

import (
	"slices"
	"time"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/admission"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// The owner works as package eventlog does, with the same limits and intervals.
const (
	target          = 500 * time.Millisecond
	maxQueue        = 4096
	maxRound        = 512
	housekeeping    = 200 * time.Millisecond
	controlEvery    = time.Second
	holdsRemembered = 3 * time.Second
)

// A round takes a few milliseconds, the median of which is roundTime, however
// many commands it decides; one of stallEvery takes up to stall. Another command
// than a hold costs otherCost of one.
const (
	roundTime  = 3 * time.Millisecond
	stallEvery = 100
	stall      = 40 * time.Millisecond
	otherCost  = 0.2
)

// call is a command that somebody sent.
type call struct {
	command *logpb.Command
	made    time.Duration
	// done gets the answer, or nil if the queue was full.
	done func(*logpb.Answer)
}

// owner is the replica that owns the event: it decides commands in rounds and
// serves the queue.
type owner struct {
	*simulation
	queue      []call
	busy       bool
	due        bool
	controller *admission.Controller
	decision   admission.Decision
	decided    time.Duration
	// left is how many people may be called until the next decision.
	left       int
	recent     []timedHold
	holds      int
	overloaded int
}

type timedHold struct{ at, took time.Duration }

func (o *owner) start(s *simulation) {
	o.simulation, o.controller, o.decided = s, admission.New(target, 0), s.now
	s.every(housekeeping, func() {
		o.due = true
		o.work()
	})
}

// submit sends a command to the owner.
func (o *owner) submit(command *logpb.Command, done func(*logpb.Answer)) {
	if len(o.queue) >= maxQueue {
		if command.GetHold() != nil {
			o.overloaded++
		}
		done(nil)
		return
	}
	o.queue = append(o.queue, call{command, o.now, done})
	o.work()
}

// work starts the next round, if there is one to start.
func (o *owner) work() {
	switch {
	case o.busy:
	case o.due:
		o.due, o.busy = false, true
		o.after(o.roundTime(nil), func() {
			o.expire()
			o.serve()
			o.busy = false
			o.work()
		})
	case len(o.queue) > 0:
		batch := slices.Clone(o.queue[:min(len(o.queue), maxRound)])
		o.queue = slices.Delete(o.queue, 0, len(batch))
		o.busy = true
		o.after(o.roundTime(batch), func() {
			o.round(batch)
			o.busy = false
			o.work()
		})
	}
}

// roundTime returns how long a round takes.
func (o *owner) roundTime(batch []call) time.Duration {
	took := o.lognormal(roundTime, 0.5)
	if o.rng.IntN(stallEvery) == 0 {
		took += time.Duration(o.rng.Int64N(int64(stall)))
	}
	cost := 0.0
	for _, c := range batch {
		if c.command.GetHold() != nil {
			cost++
		} else {
			cost += otherCost
		}
	}
	took += time.Duration(cost / o.capacity * float64(time.Second))
	if o.now >= o.lostAt && o.now < o.lostAt+o.lostFor {
		took = time.Duration(float64(took) / o.lost)
	}
	return took
}

func (o *owner) round(batch []call) {
	slices.SortStableFunc(batch, func(a, b call) int { return urgency(a) - urgency(b) })
	commands := make([]*logpb.Command, len(batch))
	for i, c := range batch {
		commands[i] = c.command
	}
	answers := o.decide(commands...)
	for i, c := range batch {
		if c.command.GetHold() != nil && answers[i].GetRefusal() != string(booking.QueueRequired) {
			o.recent = append(o.recent, timedHold{o.now, o.now - c.made})
			o.holds++
			if answers[i].GetRefusal() == "" {
				o.result.holds++
			}
		}
		c.done(answers[i])
	}
}

func urgency(c call) int {
	if c.command.GetPayment() != nil {
		return 0
	}
	return 1
}

func (o *owner) expire() {
	if at, ok := o.state.NextDeadline(); ok && at <= o.clock().UnixMilli() {
		o.decide(&logpb.Command{Kind: &logpb.Command_Expire{Expire: &logpb.Expire{}}})
	}
}

// serve lets the controller decide once a second, and calls people.
func (o *owner) serve() {
	if !o.state.LiveQueue(o.clock()) {
		return
	}
	if elapsed := o.now - o.decided; elapsed >= controlEvery {
		o.decision = o.controller.Tick(o.observe(elapsed))
		o.decided, o.holds, o.overloaded, o.left = o.now, 0, 0, o.decision.Most
	}
	before := o.result.called
	available, _, _ := o.state.Counts()
	o.decide(&logpb.Command{Kind: &logpb.Command_Serve{Serve: &logpb.Serve{
		Crowd: o.decision.Crowd, Most: uint32(o.left), Reason: string(o.decision.Reason), Seed: make([]byte, 32),
	}}})
	called := o.result.called - before
	o.left = max(0, o.left-called)
	if called > 0 {
		f := o.state.QueueFigures(o.clock())
		o.result.check(available, f.Called+f.Shopping, o.decision.Crowd)
	}
}

func (o *owner) observe(elapsed time.Duration) admission.Observation {
	f := o.state.QueueFigures(o.clock())
	return admission.Observation{
		Elapsed: elapsed, Holds: o.holds, P99: o.p99(), Overloaded: o.overloaded,
		Waiting: f.Waiting, Called: f.Called, Shopping: f.Shopping, Idle: f.Idle, Available: f.Available, Held: f.Held,
		SeatsPerBooking: f.SeatsPerBooking, MaxPerMinute: f.MaxPerMinute, Paused: f.Paused,
	}
}

// p99 returns the 99th percentile of the time that recent holds took, 0 without
// any.
func (o *owner) p99() time.Duration {
	o.recent = slices.DeleteFunc(o.recent, func(h timedHold) bool { return o.now-h.at > holdsRemembered })
	if len(o.recent) == 0 {
		return 0
	}
	took := make([]time.Duration, len(o.recent))
	for i, h := range o.recent {
		took[i] = h.took
	}
	slices.Sort(took)
	return took[(len(took)*99-1)/100]
}
