package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

const (
	// maxQueue limits the queued calls of one log.
	maxQueue = 4096
	// maxRound limits the calls in one round.
	maxRound = 512
	// expiryGrace is how long after its deadline a hold is left to the owner.
	expiryGrace = 2 * time.Second
	// housekeeping is the interval of a log's periodic work.
	housekeeping = 200 * time.Millisecond
	// idleAfter is how long a log must be unused before it is dropped from
	// memory.
	idleAfter = 10 * time.Minute
	// emptyAfter is the same for a log that does not exist.
	emptyAfter = 5 * time.Second
	// readBatch is the number of entries read at once.
	readBatch = 500
	// snapshotEvery is the number of entries after which the owner writes a
	// snapshot.
	snapshotEvery = 2000
	// snapshotAtLeast is the minimum number of new entries for a snapshot when
	// a log is dropped.
	snapshotAtLeast = 100
	storeTimeout    = 5 * time.Second
)

// roundLimit is maxRound, except in a load test that measures smaller rounds.
var roundLimit atomic.Int32

func init() { roundLimit.Store(maxRound) }

// eventLog is one log in memory. Only its loop writes.
type eventLog struct {
	engine *Engine
	id     ID
	// queue has the waiting calls.
	queue chan *call
	// entries receives entries appended by other replicas.
	entries chan Stored
	// checkHead tells the loop to read the log's head.
	checkHead chan struct{}
	// stop tells the loop to finish and end.
	stop chan struct{}
	// loading is closed when the state is loaded.
	loading chan struct{}
	// used is when the log was last used, in Unix seconds.
	used atomic.Int64

	// mu guards state. The loop locks it only for writing.
	mu    sync.RWMutex
	state *booking.State
	hub   hub

	// The loop owns the following fields.

	// broken is set if the log can't be served.
	broken error
	// ours reports whether this replica appended the last entry.
	ours     bool
	snapshot int64
	// snapshotting receives the sequence numbers of written snapshots.
	snapshotting chan int64
	out          outbox
	lists        lists
	queueControl queueControl
}

func newLog(e *Engine, id ID) *eventLog {
	l := &eventLog{
		engine: e, id: id, queue: make(chan *call, maxQueue), entries: make(chan Stored, 256), checkHead: make(chan struct{}, 1),
		stop: make(chan struct{}), loading: make(chan struct{}), hub: hub{watchers: map[*Watcher]struct{}{}},
		out: outbox{published: unknownCursor, done: make(chan publishResult, 1)}, lists: lists{written: unknownCursor, done: make(chan int64, 1)},
		snapshotting: make(chan int64, 1),
	}
	l.touch()
	return l
}

func (l *eventLog) touch() { l.used.Store(time.Now().Unix()) }

func (l *eventLog) enqueue(c *call) error {
	l.touch()
	select {
	case l.queue <- c:
		return nil
	default:
		if _, ok := c.command.GetKind().(*logpb.Command_Hold); ok {
			l.queueControl.overloaded.Add(1)
		}
		return ErrOverloaded
	}
}

// wake makes the loop read the log's head from the store.
func (l *eventLog) wake() {
	select {
	case l.checkHead <- struct{}{}:
	default:
	}
}

// loaded waits until the log's state is in memory.
func (l *eventLog) loaded(ctx context.Context) error {
	select {
	case <-l.loading:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: load log: %w", ErrUnavailable, context.Cause(ctx))
	}
}

func (l *eventLog) ready() bool {
	select {
	case <-l.loading:
		return true
	default:
		return false
	}
}

// owned reports whether this replica is the log's owner.
func (l *eventLog) owned() bool { return l.engine.replicas.Owner(l.id) == "" }

// run is the log's loop.
func (l *eventLog) run() {
	if !l.load() {
		l.refuseAll()
		return
	}
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case c := <-l.queue:
			l.round(l.collect(c))
			l.startPublish()
		case e := <-l.entries:
			l.follow(e)
		case <-l.checkHead:
			if err := l.catchUp(l.engine.ctx); err != nil {
				slog.Debug("read log failed, retrying", "event", l.id, "error", err)
			}
		case done := <-l.out.done:
			l.finishPublish(done)
			l.startPublish()
		case upTo := <-l.lists.done:
			l.finishLists(upTo)
		case seq := <-l.snapshotting:
			l.snapshot = max(l.snapshot, seq)
		case <-tick.C:
			if l.due() {
				l.round([]*call{newCall(l.engine.ctx, &logpb.Command{Event: uint64(l.id), Kind: &logpb.Command_Expire{Expire: &logpb.Expire{}}})})
			}
			l.serveQueue()
			l.startPublish()
			l.startLists()
			l.maybeSnapshot(snapshotEvery)
			if l.isIdle() && l.engine.drop(l) {
				l.maybeSnapshot(snapshotAtLeast)
				return
			}
		case <-l.stop:
			l.finish()
			return
		}
	}
}

// load reads the state. It returns false if the engine closes first.
func (l *eventLog) load() bool {
	start := time.Now()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		state, err := l.read(l.engine.ctx)
		if err == nil {
			l.state, l.snapshot = state, state.Seq
			if err = l.catchUp(l.engine.ctx); err == nil || l.broken != nil {
				l.hub.start(l.state.Seq)
				loadDuration.Observe(time.Since(start).Seconds())
				close(l.loading)
				return true
			}
		}
		slog.Warn("load log failed, retrying", "event", l.id, "error", err)
		select {
		case <-l.stop:
			return false
		case <-time.After(wait):
		}
	}
}

// read returns the state of the newest snapshot.
func (l *eventLog) read(ctx context.Context) (*booking.State, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*storeTimeout)
	defer cancel()
	seq, data, err := l.engine.store.LoadSnapshot(ctx, l.id)
	if err != nil || seq == 0 {
		return booking.NewState(), err
	}
	state, err := booking.Restore(data)
	if err != nil {
		slog.Warn("restore snapshot failed, replaying the whole log", "event", l.id, "seq", seq, "error", err)
		return booking.NewState(), nil
	}
	return state, nil
}

// collect returns the call and those queued behind it.
func (l *eventLog) collect(first *call) []*call {
	batch := []*call{first}
	for len(batch) < int(roundLimit.Load()) {
		select {
		case c := <-l.queue:
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// follow applies an entry that another replica has appended.
func (l *eventLog) follow(e Stored) {
	var err error
	switch {
	case e.Seq <= l.state.Seq || l.broken != nil:
		return
	case e.Seq == l.state.Seq+1:
		err = l.apply(e.Seq, e.Data, nil)
	default:
		err = l.readTo(l.engine.ctx, e.Seq)
	}
	if err != nil {
		slog.Debug("follow log failed, retrying", "event", l.id, "error", err)
	}
}

// catchUp applies all entries that were acknowledged before the call.
func (l *eventLog) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	head, err := l.engine.store.Head(ctx, l.id, false)
	if err != nil {
		return err
	}
	return l.readTo(ctx, head)
}

// readTo applies the entries up to head.
func (l *eventLog) readTo(ctx context.Context, head int64) error {
	for l.state.Seq < head && l.broken == nil {
		entries, err := l.engine.store.Read(ctx, l.id, l.state.Seq, readBatch)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return fmt.Errorf("entry %d is missing below the head %d", l.state.Seq+1, head)
		}
		for _, e := range entries {
			if err := l.apply(e.Seq, e.Data, nil); err != nil {
				return err
			}
		}
	}
	return l.broken
}

// apply advances the state by one entry. A caller that has just appended the
// entry passes it decoded; otherwise it is decoded from data.
func (l *eventLog) apply(seq int64, data []byte, entry *logpb.Entry) error {
	l.ours = entry != nil
	if entry == nil {
		entry = &logpb.Entry{}
		if err := proto.Unmarshal(data, entry); err != nil {
			return l.fail(fmt.Errorf("decode entry %d: %w", seq, err))
		}
	}
	l.mu.Lock()
	before := l.state.Oversold
	err := l.state.Apply(seq, entry)
	oversold.Add(float64(l.state.Oversold - before))
	var d *Delivery
	if err == nil && l.ready() {
		d = &Delivery{Seq: seq, Seats: append([]booking.SeatChange(nil), l.state.Changed...), Plan: l.state.Event.Plan}
	}
	l.mu.Unlock()
	if err != nil {
		return l.fail(err)
	}
	if d != nil {
		l.hub.publish(d)
	}
	l.out.add(seq, entry)
	return nil
}

// fail stops serving the log because its entries can't be decoded or applied.
func (l *eventLog) fail(err error) error {
	l.broken = fmt.Errorf("%w: %w", ErrUnavailable, err)
	slog.Error("log unreadable, not serving the event", "event", l.id, "error", err)
	return l.broken
}

// due reports whether holds must be expired: by the owner at their deadline, or
// by the others if the owner has not done it.
func (l *eventLog) due() bool {
	deadline, ok := l.state.NextDeadline()
	if !ok || l.broken != nil {
		return false
	}
	now := l.engine.clock.Now()
	if !l.owned() {
		now = now.Add(-expiryGrace)
	}
	return deadline <= now.UnixMilli()
}

func (l *eventLog) isIdle() bool {
	after := idleAfter
	if l.state.Seq == 0 {
		after = emptyAfter
	}
	return time.Since(time.Unix(l.used.Load(), 0)) > after && !l.state.Open() && !l.hub.watched() &&
		(!l.owned() || l.published() && !l.state.LiveQueue(l.engine.clock.Now()))
}

// published reports whether this replica has written all messages and lists.
func (l *eventLog) published() bool {
	return l.out.published == l.state.Seq && l.lists.written == l.state.Seq
}

// finish decides the queued calls and publishes what is pending, before the
// replica stops.
func (l *eventLog) finish() {
	for {
		select {
		case c := <-l.queue:
			l.round(l.collect(c))
			continue
		default:
		}
		break
	}
	l.flush()
	l.maybeSnapshot(snapshotAtLeast)
}

// refuseAll fails the calls of a log that could not be loaded.
func (l *eventLog) refuseAll() {
	for {
		select {
		case c := <-l.queue:
			if c.claim() {
				c.finish(nil, fmt.Errorf("%w: closing", ErrUnavailable))
			}
		default:
			return
		}
	}
}
