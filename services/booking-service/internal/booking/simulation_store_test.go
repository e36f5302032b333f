package booking_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

// errDead is what the goroutines of a crashed replica get from every call.
// Nothing they do has an effect any more; it lets them end.
var errDead = errors.New("this replica has crashed")

// verdict is what the simulation lets a call do.
type verdict int

const (
	proceed verdict = iota
	// lose the answer: whether and when the round lands is chosen later.
	lose
	fail
	die
)

// call is one that a replica makes to the outside and that waits for its turn.
type call struct {
	replica *replica
	label   string
	// ready is nil or tells whether the call may go on.
	ready func() bool
	// round is set for CommitRound.
	round *round
	// reads is set for calls that change nothing.
	reads bool
	// atOnce is set for calls that are let through when all others wait.
	atOnce bool
	// mayFail is set for calls that can fail without an effect.
	mayFail bool
	verdict chan verdict
}

// round is a CommitRound on its way.
type round struct {
	id      booking.BlockID
	version int64
	changes []booking.Change
	label   string
}

// replica is a process of booking-service: its memory, and its way to the
// stores, on which every call waits for its turn.
type replica struct {
	*bookingtest.Store
	name string
	sim  *simulation
	dead bool
	// mayCrash: it has just done what makes a difference to a crash.
	mayCrash bool
	service  *booking.Service
	// serving has, for every request under way, a digest of what it has seen so
	// far: what it will do is a function of that.
	serving map[string]uint64
	// published waits for Kafka's acknowledgement, settled for Redis.
	published []publication
	settled   []booking.LockOutcome
}

type publication struct {
	label    string
	messages []booking.Message
	done     func(error)
}

func (s *simulation) newReplica(name string) *replica {
	r := &replica{Store: s.store, name: name, sim: s, serving: map[string]uint64{}}
	inventory := booking.NewInventory(r)
	committer := booking.NewCommitter(r, inventory, bookingtest.NoFeed{}, name)
	r.service = booking.NewService(r, replicaLocks{r}, replicaOutbox{r}, committer, inventory, s.clock)
	return r
}

// enter waits for the call's turn.
func (r *replica) enter(c *call) verdict {
	s := r.sim
	s.mu.Lock()
	switch {
	case r.dead:
		s.mu.Unlock()
		return die
	case s.free:
		s.mu.Unlock()
		return proceed
	}
	c.replica, c.verdict = r, make(chan verdict, 1)
	s.pending = append(s.pending, c)
	s.mu.Unlock()
	return <-c.verdict
}

// saw notes the result of a call for those whose doing may follow from it: the
// actor that made it, or, for a round, everybody whom the replica serves. With
// it goes what else they can see: the time, and the replica's memory.
func (r *replica) saw(ctx context.Context, label string, result string) {
	s := r.sim
	if r.atRest() {
		return
	}
	around := fmt.Sprint(s.clock.Now().UnixMilli(), r.memory())
	s.mu.Lock()
	defer s.mu.Unlock()
	if name := actorOf(ctx); name != "" {
		r.serving[name] = digest(r.serving[name], label, result, around)
		return
	}
	for name, history := range r.serving {
		r.serving[name] = digest(history, label, result, around)
	}
}

func (r *replica) atRest() bool {
	r.sim.mu.Lock()
	defer r.sim.mu.Unlock()
	return r.sim.free || r.dead
}

// memory shows what the replica remembers, apart from what it is doing.
func (r *replica) memory() string {
	return r.service.Memory(r.sim.event, r.sim.showSeat, func(ctx context.Context, ch booking.Change) string {
		return actorOf(ctx) + r.sim.showChanges([]booking.Change{ch})
	})
}

// read makes a call that changes nothing.
func read[T any](ctx context.Context, r *replica, label string, show func(T) string, do func() (T, error)) (T, error) {
	c := &call{label: r.name + " " + actorOf(ctx) + label, reads: true}
	// A correction of the picture, beside what is asked, is made at once.
	_, correction := any(show).(func(booking.Block) string)
	c.atOnce = correction && actorOf(ctx) == ""
	if r.enter(c) == die {
		var none T
		return none, errDead
	}
	result, err := do()
	if !c.atOnce {
		r.saw(ctx, c.label, show(result))
	}
	return result, err
}

// CommitRound implements booking.Store.
func (r *replica) CommitRound(ctx context.Context, id booking.BlockID, version int64, changes []booking.Change) (bool, booking.Current, error) {
	label := fmt.Sprintf("%s commits block %d v%d %s", r.name, id.Block, version, r.sim.showChanges(changes))
	switch r.enter(&call{label: label, round: &round{id, version, slices.Clone(changes), label}}) {
	case die:
		return false, booking.Current{}, errDead
	case lose:
		r.saw(ctx, label, "unknown")
		return false, booking.Current{}, booking.ErrUnknown
	default:
	}
	applied, current, err := r.Store.CommitRound(ctx, id, version, changes)
	r.saw(ctx, label, fmt.Sprint(applied, r.sim.showCurrent(current)))
	r.sim.mu.Lock()
	r.sim.pause = !applied
	r.sim.mu.Unlock()
	return applied, current, err
}

// ReadBlock implements booking.Store.
func (r *replica) ReadBlock(ctx context.Context, id booking.BlockID) (booking.Block, error) {
	return read(ctx, r, fmt.Sprintf("reads block %d", id.Block), r.sim.showBlock,
		func() (booking.Block, error) { return r.Store.ReadBlock(ctx, id) })
}

// ReadBooking implements booking.Store.
func (r *replica) ReadBooking(ctx context.Context, ref booking.Ref, linearizable bool) (booking.Record, error) {
	return read(ctx, r, fmt.Sprintf("reads booking %s, linearizable=%t", r.sim.nameOf(ref.ID), linearizable), r.sim.showRecord,
		func() (booking.Record, error) { return r.Store.ReadBooking(ctx, ref, linearizable) })
}

// IndexBookings implements booking.Store.
func (r *replica) IndexBookings(ctx context.Context, entries []booking.IndexEntry) error {
	if !r.sim.scenario.index {
		// Rows of one user, which none but the booking's own requests read.
		return r.Store.IndexBookings(ctx, entries)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = r.sim.nameOf(e.ID)
	}
	slices.Sort(names)
	label := r.name + " indexes " + strings.Join(names, ",")
	switch r.enter(&call{label: label, mayFail: true}) {
	case die:
		return errDead
	case fail:
		r.saw(ctx, label, "failed")
		return errors.New("the index is down")
	default:
	}
	r.saw(ctx, label, "done")
	return r.Store.IndexBookings(ctx, entries)
}

// replicaOutbox is a replica's way to Kafka.
type replicaOutbox struct{ *replica }

// Publish implements booking.Outbox.
func (o replicaOutbox) Publish(messages []booking.Message, _ string, done func(error)) {
	s := o.sim
	s.mu.Lock()
	p := publication{messages: messages, done: done}
	var shown []string
	for _, m := range messages {
		shown = append(shown, s.showMessage(m))
	}
	p.label = "Kafka acknowledges to " + o.name + ": " + strings.Join(shown, ",")
	switch {
	case o.dead:
		s.mu.Unlock()
		done(errDead)
	case s.free:
		s.send(messages)
		s.mu.Unlock()
		done(nil)
	case !s.scenario.kafka:
		s.mu.Unlock()
		done(errors.New("kafka is down"))
	default:
		o.published = append(o.published, p)
		s.mu.Unlock()
	}
}

// replicaLocks is a replica's way to Redis: a table shared by all, or nothing.
type replicaLocks struct{ *replica }

// Take implements booking.Locks.
func (l replicaLocks) Take(ctx context.Context, req booking.LockRequest) (booking.LockAnswer, error) {
	s := l.sim
	s.mu.Lock()
	s.names[req.Booking] = s.users[req.User]
	answer, err := l.take(req)
	s.mu.Unlock()
	l.saw(ctx, "takes locks", fmt.Sprint(answer.Taken, err))
	return answer, err
}

// take does what take.lua does; s.mu must be held.
func (l replicaLocks) take(req booking.LockRequest) (booking.LockAnswer, error) {
	s := l.sim
	if l.dead || !s.scenario.redis {
		return booking.LockAnswer{}, errors.New("redis is down")
	}
	answer := booking.LockAnswer{}
	for _, seat := range req.Seats {
		if lock := s.locks[seat]; lock.booking != uuid.Nil && lock.booking != req.Booking && lock.until > s.clock.Now().UnixMilli() {
			answer.Verdict = booking.LocksRefused
			answer.Taken = append(answer.Taken, seat)
		}
	}
	if answer.Verdict == booking.LocksTaken {
		for _, seat := range req.Seats {
			s.locks[seat] = lock{req.Booking, req.Deadline + lockGrace}
		}
	}
	return answer, nil
}

// Settle implements booking.Locks; like the real one it does not wait.
func (l replicaLocks) Settle(_ context.Context, _ uuid.UUID, outcomes []booking.LockOutcome) {
	s := l.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case l.dead || !s.scenario.redis:
	case s.free:
		for _, o := range outcomes {
			s.settle(o)
		}
	default:
		l.settled = append(l.settled, outcomes...)
	}
}

// Warm implements booking.Locks.
func (replicaLocks) Warm(context.Context, uuid.UUID, []booking.LockOutcome) error { return nil }

// lock is a seat's lock in Redis.
type lock struct {
	booking uuid.UUID
	until   int64
}

// lockGrace is how long, in ms, a lock outlives its hold.
const lockGrace = 10_000

// settle does what settle.lua does; s.mu must be held.
func (s *simulation) settle(o booking.LockOutcome) {
	switch {
	case o.Ended:
		s.ended[o.Booking] = true
	case o.State != booking.Available && s.ended[o.Booking]:
		return
	}
	for _, seat := range o.Seats {
		switch {
		case o.State != booking.Available:
			s.locks[seat] = lock{o.Booking, o.Deadline + lockGrace}
		case s.locks[seat].booking == o.Booking:
			delete(s.locks, seat)
		}
	}
}
