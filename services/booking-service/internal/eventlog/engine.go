// Package eventlog runs the logs of the events on sale: it decides commands in
// memory and appends the decisions to the log, one entry for all commands that
// arrived while the previous append was in progress (group commit).
//
// Any replica may append to any log at any time. Each log has an owner among
// the replicas, only for speed: an append is conditional on the log's head, so
// a replica that decided against an old state loses, reads the entries that it
// missed, and decides again.
package eventlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// IDOf returns the id of an event's log, from the id of the event or of one of
// its bookings.
func IDOf(id uuid.UUID) ID { return ID(binary.BigEndian.Uint64(id[:8])) }

// Feed announces new entries to the other replicas. It may lose any of them.
type Feed interface {
	Publish(id ID, e Stored)
}

// Publisher sends messages to Kafka.
type Publisher interface {
	// Publish returns when all messages are acknowledged. After an error, any
	// of them may have been sent.
	Publish(ctx context.Context, messages []booking.Message) error
	// Availability announces an event's counts.
	Availability(ctx context.Context, a events.EventAvailability) error
}

// Replicas are the replicas of booking-service.
type Replicas interface {
	// Owner returns the address of the replica that owns a log, or "" if it is
	// this one.
	Owner(id ID) (addr string)
	// Send sends commands to a replica to decide. Sent is false if the commands
	// did not reach it.
	Send(ctx context.Context, addr string, commands []*logpb.Command) (answers []*logpb.Answer, sent bool, err error)
}

const (
	// listEvery is how often the list of events is read, and the heads of logs
	// without recent entries.
	listEvery = 2 * time.Second
	// keptAfterEnd is how long an event is followed after it has ended.
	keptAfterEnd = 24 * time.Hour
)

// Engine runs the logs of one replica.
type Engine struct {
	store     Store
	feed      Feed
	publisher Publisher
	replicas  Replicas
	clock     clock.Clock
	// HoldTarget is the longest that 99 of 100 holds should take.
	HoldTarget time.Duration
	forwarder  forwarder

	// ctx is cancelled when Close abandons the running work.
	ctx    context.Context
	cancel context.CancelFunc
	loops  sync.WaitGroup

	mu      sync.RWMutex
	closing bool
	logs    map[ID]*eventLog
	// idle has the logs that were dropped from memory.
	idle map[ID]idleLog
}

// New returns an engine. Run must be called for it to notice other replicas'
// entries. Queues admit as many people as leave 99 of 100 holds below
// holdTarget.
func New(store Store, feed Feed, publisher Publisher, replicas Replicas, clk clock.Clock, holdTarget time.Duration) *Engine {
	e := &Engine{
		store: store, feed: feed, publisher: publisher, replicas: replicas, clock: clk, HoldTarget: holdTarget,
		logs: map[ID]*eventLog{}, idle: map[ID]idleLog{},
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.forwarder.send = replicas.Send
	return e
}

// Do decides a command: at the replica that owns the log or, if that is
// unreachable, here. After an error that wraps ErrUnknown, the command may or
// may not have taken effect; after any other error it has not. A command takes
// effect once, however often it is submitted.
func (e *Engine) Do(ctx context.Context, command *logpb.Command) (*logpb.Answer, error) {
	owner := e.replicas.Owner(ID(command.GetEvent()))
	if owner == "" {
		return e.local(ctx, command)
	}
	answer, sent, err := e.forwarder.do(ctx, owner, command)
	if err == nil || errors.Is(err, ErrOverloaded) {
		return answer, err // appends from here would compete with the owner's
	}
	if ctx.Err() != nil && sent {
		return nil, fmt.Errorf("%w: forward: %w", ErrUnknown, err)
	}
	answer, localErr := e.local(ctx, command)
	if sent && localErr == nil && answer.GetRefusal() != "" {
		// The owner may still accept what is refused here.
		return nil, fmt.Errorf("%w: forward: %w", ErrUnknown, err)
	}
	return answer, localErr
}

// Hold is Do for a hold, with metrics.
func (e *Engine) Hold(ctx context.Context, command *logpb.Command) (*logpb.Answer, error) {
	start := time.Now()
	holdsInFlight.Inc()
	defer holdsInFlight.Dec()
	a, err := e.Do(ctx, command)
	observe.Observe(ctx, lockDuration.WithLabelValues("total", outcome(a, err)), time.Since(start).Seconds())
	return a, err
}

// local decides a command at this replica.
func (e *Engine) local(ctx context.Context, command *logpb.Command) (*logpb.Answer, error) {
	c := newCall(ctx, command)
	if err := e.submit(ID(command.GetEvent()), c); err != nil {
		return nil, err
	}
	return c.wait()
}

// Receive decides the commands that another replica forwards.
func (e *Engine) Receive(ctx context.Context, commands []*logpb.Command) []*logpb.Answer {
	calls := make([]*call, len(commands))
	answers := make([]*logpb.Answer, len(commands))
	for i, command := range commands {
		calls[i] = newCall(ctx, command)
		if err := e.submit(ID(command.GetEvent()), calls[i]); err != nil {
			answers[i], calls[i] = errorAnswer(err), nil
		}
	}
	for i, c := range calls {
		if c == nil {
			continue
		}
		var err error
		if answers[i], err = c.wait(); err != nil {
			answers[i] = errorAnswer(err)
		}
	}
	return answers
}

// submit queues a call at its log, and loads the log if necessary.
func (e *Engine) submit(id ID, c *call) error {
	for {
		l, err := e.open(id)
		if err != nil {
			return err
		}
		e.mu.RLock()
		if e.logs[id] != l {
			e.mu.RUnlock()
			continue // dropped in the meantime
		}
		err = l.enqueue(c)
		e.mu.RUnlock()
		return err
	}
}

// open returns a log, and starts to load it if it is not in memory.
func (e *Engine) open(id ID) (*eventLog, error) {
	e.mu.RLock()
	l, closing := e.logs[id], e.closing
	e.mu.RUnlock()
	if closing {
		return nil, fmt.Errorf("%w: closing", ErrUnavailable)
	}
	if l != nil {
		return l, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if l = e.logs[id]; l == nil && !e.closing {
		l = newLog(e, id)
		e.logs[id] = l
		e.loops.Go(l.run)
	}
	if l == nil {
		return nil, fmt.Errorf("%w: closing", ErrUnavailable)
	}
	return l, nil
}

// idleLog is a log that was dropped from memory.
type idleLog struct {
	head int64
	// published means that its messages and lists are written. Only the owner
	// knows.
	published bool
}

// drop removes an unused log from memory, unless a call has just arrived.
func (e *Engine) drop(l *eventLog) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(l.queue) > 0 || len(l.entries) > 0 {
		return false
	}
	delete(e.logs, l.id)
	if l.state.Seq > 0 { // clients may request logs that do not exist
		e.idle[l.id] = idleLog{head: l.state.Seq, published: l.published()}
	}
	return true
}

// Read calls read with a log's state, which includes every append acknowledged
// before the call. read must not retain the state.
func (e *Engine) Read(ctx context.Context, id ID, read func(*booking.State)) error {
	c := newCall(ctx, nil)
	if err := e.submit(id, c); err != nil {
		return err
	}
	if _, err := c.wait(); err != nil {
		return err
	}
	return e.Peek(ctx, id, read)
}

// Peek calls read with a log's state in memory, which may be stale. read must
// not retain the state.
func (e *Engine) Peek(ctx context.Context, id ID, read func(*booking.State)) error {
	l, err := e.open(id)
	if err != nil {
		return err
	}
	if err := l.loaded(ctx); err != nil {
		return err
	}
	l.touch()
	l.mu.RLock()
	defer l.mu.RUnlock()
	read(l.state)
	return nil
}

// Each calls read with the state of every log in memory.
func (e *Engine) Each(read func(*booking.State)) {
	for _, l := range e.all() {
		if l.ready() {
			l.mu.RLock()
			read(l.state)
			l.mu.RUnlock()
		}
	}
}

func (e *Engine) all() []*eventLog {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make([]*eventLog, 0, len(e.logs))
	for _, l := range e.logs {
		all = append(all, l)
	}
	return all
}

// Watch returns a watcher of a log's changes after entry since; see hub.watch.
func (e *Engine) Watch(ctx context.Context, id ID, since int64) (w *Watcher, continued bool, err error) {
	l, err := e.open(id)
	if err != nil {
		return nil, false, err
	}
	if err := l.loaded(ctx); err != nil {
		return nil, false, err
	}
	l.touch()
	w, continued = l.hub.watch(since)
	return w, continued, nil
}

// Follow applies an entry that another replica has appended.
func (e *Engine) Follow(id ID, entry Stored) {
	l, err := e.open(id)
	if err != nil {
		return
	}
	select {
	case l.entries <- entry:
	default:
		l.wake() // the loop then reads the store
	}
}

// Define opens or changes an event's sale.
func (e *Engine) Define(ctx context.Context, def events.EventChanged) (*logpb.Answer, error) {
	definition, err := booking.Definition(def)
	if err != nil {
		return nil, err
	}
	// List the event first: an unlisted event is not followed.
	if err := e.store.SaveEvent(ctx, ListedEvent{Event: def.EventID, EndsAt: def.EndsAt}); err != nil {
		return nil, err
	}
	return e.Do(ctx, &logpb.Command{
		Event: uint64(IDOf(def.EventID)), Kind: &logpb.Command_Define{Define: &logpb.Define{Definition: definition}},
	})
}

// Run follows the events on sale until ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	failing := false
	for {
		err := e.Sync(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			slog.WarnContext(ctx, "list events on sale failed, retrying", "error", err)
		}
		failing = err != nil
		if !clock.Sleep(ctx, listEvery) {
			return nil
		}
	}
}

// Sync opens the logs of events on sale that have changed or that this replica
// has to publish, and makes logs in memory check their heads.
func (e *Engine) Sync(ctx context.Context) error {
	listed, err := e.store.Events(ctx)
	if err != nil {
		return err
	}
	now := e.clock.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, event := range listed {
		if now.After(event.EndsAt.Add(keptAfterEnd)) {
			continue
		}
		id := IDOf(event.Event)
		e.mu.RLock()
		l, idle := e.logs[id], e.idle[id]
		e.mu.RUnlock()
		if l != nil {
			l.wake()
			continue
		}
		group.Go(func() error {
			head, err := e.store.Head(ctx, id, false)
			// A new owner publishes what the previous one did not.
			unpublished := head > 0 && !idle.published && e.replicas.Owner(id) == ""
			if err == nil && (head != idle.head || unpublished) {
				_, err = e.open(id)
			}
			return err
		})
	}
	return group.Wait()
}

// Close finishes the running rounds, publishes what is pending and stops. Work
// that is not done when ctx ends is left to the other replicas.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	e.closing = true
	logs := make([]*eventLog, 0, len(e.logs))
	for _, l := range e.logs {
		logs = append(logs, l)
	}
	e.mu.Unlock()
	for _, l := range logs {
		close(l.stop)
	}
	defer context.AfterFunc(ctx, e.cancel)()
	e.loops.Wait()
	e.cancel()
	return nil
}
