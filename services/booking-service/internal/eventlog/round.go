package eventlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// round decides calls and answers them. Accepted commands are in the log before
// they are answered, and so is whatever a refusal is based on. If nothing was
// accepted, reading the log's head proves that the state is current.
func (l *eventLog) round(batch []*call) {
	start := time.Now()
	batch = slices.DeleteFunc(batch, func(c *call) bool { return !c.claim() })
	slices.SortStableFunc(batch, func(a, b *call) int { return urgency(a) - urgency(b) })
	for len(batch) > 0 {
		if l.broken != nil {
			finish(batch, nil, l.broken)
			return
		}
		n, answers, entry := l.decide(batch)
		reads := !slices.ContainsFunc(batch[:n], func(c *call) bool { return c.command != nil })
		proven, err := l.prove(entry, reads)
		if err != nil {
			finish(batch, nil, err)
			return
		}
		if !proven {
			continue // decided against an old state, which is caught up now
		}
		observeRound(start, batch[:n], answers)
		l.observeQueue(batch[:n], answers)
		finish(batch[:n], answers, nil)
		batch = batch[n:]
	}
}

// urgency orders the calls of a round: a payment that arrives at its deadline
// is in time.
func urgency(c *call) int {
	if _, ok := c.command.GetKind().(*logpb.Command_Payment); ok {
		return 0
	}
	return 1
}

// decide decides the first n calls. It returns their answers and the entry to
// append.
func (l *eventLog) decide(batch []*call) (n int, answers []*logpb.Answer, entry *logpb.Entry) {
	round := l.state.NewRound(l.engine.clock.Now())
	for i, c := range batch {
		_, defines := c.command.GetKind().(*logpb.Command_Define)
		if defines && i > 0 {
			break // it needs its own round
		}
		if c.command == nil {
			answers = append(answers, nil)
		} else {
			answers = append(answers, round.Decide(c.command))
		}
		n++
		if defines {
			break
		}
	}
	return n, answers, &logpb.Entry{Operations: round.Operations}
}

// prove appends an entry or, if it is empty, reads the log's head. It returns
// false if the state was stale. For reads alone, the acknowledged head is
// enough, which needs no Paxos round.
func (l *eventLog) prove(entry *logpb.Entry, reads bool) (proven bool, err error) {
	if len(entry.GetOperations()) > 0 {
		return l.append(entry)
	}
	ctx, cancel := context.WithTimeout(l.engine.ctx, storeTimeout)
	defer cancel()
	head, err := l.engine.store.Head(ctx, l.id, !reads)
	if err != nil {
		return false, fmt.Errorf("%w: read head: %w", ErrUnavailable, err)
	}
	if head == l.state.Seq {
		return true, nil
	}
	return false, l.readTo(ctx, head)
}

// append appends an entry after the state's. It returns false if another
// replica was first; the state is then caught up.
func (l *eventLog) append(entry *logpb.Entry) (applied bool, err error) {
	attempt := uuid.New()
	entry.Id = attempt[:]
	data, err := proto.Marshal(entry)
	if err != nil {
		return false, fmt.Errorf("%w: encode entry: %w", ErrUnavailable, err)
	}
	start, others := time.Now(), !l.ours && l.state.Seq > 0
	next := l.state.Seq + 1
	applied, err = l.store(next, data, attempt)
	appendDuration.Observe(time.Since(start).Seconds())
	if err != nil {
		return false, err
	}
	if !applied {
		sometimes(lostAppend)
		ctx, cancel := context.WithTimeout(l.engine.ctx, storeTimeout)
		defer cancel()
		return false, l.readTo(ctx, next)
	}
	l.observe(entry)
	if err := l.apply(next, data, entry); err != nil {
		return false, fmt.Errorf("%w: %v", ErrUnknown, err) //nolint:errorlint // the entry is in the log, so ErrUnavailable would be wrong
	}
	if entry.GetOperations()[0].GetDefined() == nil {
		for _, change := range l.state.Changed {
			seatChanges.WithLabelValues(change.State.String()).Inc()
		}
	}
	l.engine.feed.Publish(l.id, Stored{Seq: next, Data: data})
	if others {
		sometimes(takeover)
	}
	return true, nil
}

// store appends and determines the outcome: it never treats an unknown outcome
// as a failure. It does not return before the outcome is known, unless the
// engine closes.
func (l *eventLog) store(seq int64, data []byte, attempt uuid.UUID) (applied bool, err error) {
	store, unknown := l.engine.store, false
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		ctx, cancel := context.WithTimeout(l.engine.ctx, storeTimeout)
		applied, err = store.Append(ctx, l.id, seq-1, data)
		if err == nil && !applied {
			// Check even if no outcome was unknown: Paxos may have finished the
			// append by itself and then reported it as refused.
			applied, err = l.isOurs(ctx, seq, attempt)
			if applied {
				sometimes(unknownApplied)
				appends.WithLabelValues("unknown_applied").Inc()
			} else if err == nil {
				appends.WithLabelValues("lost").Inc()
			}
		} else if err == nil {
			appends.WithLabelValues("applied").Inc()
			if unknown {
				sometimes(unknownNotApplied)
			}
		}
		cancel()
		switch {
		case err == nil:
			return applied, nil
		case errors.Is(err, ErrUnknown):
			unknown = true
			appends.WithLabelValues("unknown").Inc()
		case !unknown:
			appends.WithLabelValues("failed").Inc()
			return false, fmt.Errorf("%w: append: %w", ErrUnavailable, err)
		}
		select {
		case <-l.engine.ctx.Done():
			return false, fmt.Errorf("%w: append: %w", ErrUnknown, err)
		case <-time.After(wait):
		}
	}
}

// isOurs reports whether the entry at seq was written by this attempt.
func (l *eventLog) isOurs(ctx context.Context, seq int64, attempt uuid.UUID) (bool, error) {
	stored, err := l.engine.store.Read(ctx, l.id, seq-1, 1)
	if err == nil && len(stored) == 0 {
		err = fmt.Errorf("entry %d is missing", seq)
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	var entry logpb.Entry
	if err := proto.Unmarshal(stored[0].Data, &entry); err != nil {
		return false, fmt.Errorf("%w: decode entry %d: %w", ErrUnknown, seq, err)
	}
	return bytes.Equal(entry.GetId(), attempt[:]), nil
}

func finish(batch []*call, answers []*logpb.Answer, err error) {
	for i, c := range batch {
		if err != nil {
			c.finish(nil, err)
			continue
		}
		c.finish(answers[i], nil)
	}
}
