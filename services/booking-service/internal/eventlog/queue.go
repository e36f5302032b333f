package eventlog

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/admission"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

const (
	// controlEvery is how often the controller of admissions decides.
	controlEvery = time.Second
	// holdsRemembered is how long the time of a hold counts.
	holdsRemembered = 3 * time.Second
)

// queueControl decides how many people of an event's queue may shop, at the
// log's owner.
type queueControl struct {
	// overloaded counts the holds that found the log's queue full, atGateways
	// the requests without an admission that gateways refused.
	overloaded, atGateways atomic.Int64
	// gatewayP99s are what gateways have measured of holds lately.
	mu          sync.Mutex
	gatewayP99s []timedHold

	// The loop owns the following fields. controller is nil unless this
	// replica owns the log and the event has a queue.
	controller *admission.Controller
	demand     *admission.Demand
	decision   admission.Decision
	// active is what an automatic queue should be.
	active  *bool
	decided time.Time
	// left is how many more people may be called until the next decision.
	left int
	// holds are recent holds; done counts those since the last decision that
	// got seats.
	holds              []timedHold
	decidedHolds, done int
	refused            logpb.Refused
}

type timedHold struct {
	at   time.Time
	took time.Duration
}

// GatewayFigures adds what a gateway has seen of an event with a queue: the
// requests without an admission that it refused, and the 99th percentile of
// the time of recent holds. Figures given to another replica than the owner are
// lost.
func (e *Engine) GatewayFigures(id ID, refused int, p99 time.Duration) {
	e.mu.RLock()
	l := e.logs[id]
	e.mu.RUnlock()
	if l == nil {
		return
	}
	q := &l.queueControl
	q.atGateways.Add(int64(refused))
	if p99 > 0 {
		now := time.Now()
		q.mu.Lock()
		q.gatewayP99s = append(recent(q.gatewayP99s, now), timedHold{now, p99})
		q.mu.Unlock()
	}
}

// recent returns the holds that still count.
func recent(holds []timedHold, now time.Time) []timedHold {
	return slices.DeleteFunc(holds, func(h timedHold) bool { return now.Sub(h.at) > holdsRemembered })
}

// observeQueue records what a round means for the controller.
func (l *eventLog) observeQueue(batch []*call, answers []*logpb.Answer) {
	q := &l.queueControl
	if q.controller == nil {
		return
	}
	now := time.Now()
	for i, c := range batch {
		switch booking.Reason(answers[i].GetRefusal()) {
		default:
		case booking.ChallengeFailed:
			q.refused.ChallengeFailed++
		case booking.DeviceInQueue:
			q.refused.DeviceInQueue++
		case booking.InviteCodeInvalid:
			q.refused.InviteCodeInvalid++
		case booking.NetworkLimit:
			q.refused.NetworkLimitReached++
		case booking.QueueRequired:
			q.refused.QueueRequired++
			continue
		}
		if _, ok := c.command.GetKind().(*logpb.Command_Hold); ok {
			q.holds = append(q.holds, timedHold{now, now.Sub(c.made)})
			q.decidedHolds++
			if answers[i].GetRefusal() == "" {
				q.done++
			}
		}
	}
}

// holdP99 returns the 99th percentile of the time that recent holds took, as
// this replica or the slowest gateway has seen it, 0 without any.
func (q *queueControl) holdP99(now time.Time) (p99 time.Duration) {
	q.mu.Lock()
	q.gatewayP99s = recent(q.gatewayP99s, now)
	for _, h := range q.gatewayP99s {
		p99 = max(p99, h.took)
	}
	q.mu.Unlock()
	q.holds = recent(q.holds, now)
	if len(q.holds) == 0 {
		return p99
	}
	took := make([]time.Duration, len(q.holds))
	for i, h := range q.holds {
		took[i] = h.took
	}
	slices.Sort(took)
	return max(p99, took[(len(took)*99-1)/100])
}

// serveQueue admits people from the event's queue, if this replica owns the
// log. Between two decisions, it fills places in the crowd that become free.
func (l *eventLog) serveQueue() {
	q, now := &l.queueControl, l.engine.clock.Now()
	if l.broken != nil || !l.state.LiveQueue(now) || !l.owned() {
		if q.controller != nil {
			q.controller = nil
			forgetQueue(l.id)
		}
		return
	}
	figures := l.state.QueueFigures(now)
	if q.controller == nil {
		q.controller, q.demand = admission.New(l.engine.HoldTarget, figures.Crowd), admission.NewDemand(l.engine.HoldTarget)
		q.decided, q.holds, q.decidedHolds, q.done, q.active, q.left = time.Now(), nil, 0, 0, nil, 0
		q.overloaded.Store(0)
		q.atGateways.Store(0)
		q.refused.Reset()
		q.decision = admission.Decision{Crowd: figures.Crowd}
	}
	last := l.state.LastServed()
	command := &logpb.Serve{HoldP99Ms: last.GetHoldP99Ms(), HoldsPerSecond: last.GetHoldsPerSecond()}
	if elapsed := time.Since(q.decided); elapsed >= controlEvery {
		l.decideQueue(figures, elapsed, command)
	}
	command.Most, command.Crowd, command.Reason, command.Active = uint32(q.left), q.decision.Crowd, string(q.decision.Reason), q.active
	serve := &logpb.Command{Event: uint64(l.id), Kind: &logpb.Command_Serve{Serve: command}}
	round := l.state.NewRound(now)
	if round.Decide(serve); len(round.Operations) > 0 {
		before := last.GetServing()
		l.round([]*call{newCall(l.engine.ctx, serve)})
		for n, serving := range l.state.LastServed().GetServing() {
			if n < len(before) {
				serving -= before[n]
			}
			q.left = max(0, q.left-int(serving))
		}
	}
	observeFigures(l.id, figures, q.decision)
}

// decideQueue lets the controller decide and fills in the command.
func (l *eventLog) decideQueue(f booking.QueueFigures, elapsed time.Duration, command *logpb.Serve) {
	q := &l.queueControl
	o := admission.Observation{
		Elapsed: elapsed, Holds: q.decidedHolds, P99: q.holdP99(time.Now()), Overloaded: int(q.overloaded.Swap(0)),
		Waiting: f.Waiting, Called: f.Called, Shopping: f.Shopping, Idle: f.Idle, Available: f.Available, Held: f.Held,
		SeatsPerBooking: f.SeatsPerBooking, MaxPerMinute: f.MaxPerMinute, Paused: f.Paused,
	}
	q.decision = q.controller.Tick(o)
	q.active = nil
	if f.Automatic {
		active := q.demand.Tick(o, f.Required)
		q.active = &active
	}
	q.left = q.decision.Most
	command.HoldP99Ms = uint32(o.P99.Milliseconds())
	command.HoldsPerSecond = math.Round(float64(q.done)/elapsed.Seconds()*10) / 10
	q.refused.QueueRequired += uint32(q.atGateways.Swap(0))
	if proto.Size(&q.refused) > 0 {
		command.Refused = proto.CloneOf(&q.refused)
		q.refused.Reset()
	}
	q.decided, q.decidedHolds, q.done = time.Now(), 0, 0
}
