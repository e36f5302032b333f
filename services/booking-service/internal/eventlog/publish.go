package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

const (
	// unknownCursor means that the cursor has not been read yet.
	unknownCursor = -1
	// publishBatch limits the entries in one batch; publishPause is the time
	// between batches.
	publishBatch = 500
	publishPause = 100 * time.Millisecond
	retryPause   = time.Second
	// publishTimeout limits one batch. It exceeds Kafka's delivery timeout.
	publishTimeout = 20 * time.Second
)

// outbox publishes the log's messages: the log itself is the outbox. The owner
// publishes from a cursor, which moves when Kafka has acknowledged all
// messages.
type outbox struct {
	// published is the entry up to which everything is published.
	published int64
	// entries are the entries after published, as far as they are in memory.
	entries []numberedEntry
	// done receives the outcome of the running batch.
	done     chan publishResult
	inFlight bool
	// next is the earliest time of the next batch.
	next time.Time
	// oldest is when the oldest unpublished entry was applied.
	oldest time.Time
	// soldOut is the last announced value, or nil if none was.
	soldOut *bool
}

type numberedEntry struct {
	seq   int64
	entry *logpb.Entry
	// at is when the entry was applied here.
	at time.Time
}

// publishResult is the outcome of a batch.
type publishResult struct {
	upTo    int64
	soldOut *bool
	err     error
}

// maxUnpublished is the number of entries kept in memory; older ones are read
// from the store again.
const maxUnpublished = 4 * publishBatch

func (o *outbox) add(seq int64, entry *logpb.Entry) {
	if len(o.entries) == maxUnpublished {
		o.entries = o.entries[1:]
	}
	now := time.Now()
	o.entries = append(o.entries, numberedEntry{seq, entry, now})
	if o.oldest.IsZero() {
		o.oldest = now
	}
}

// startPublish starts to publish pending entries, if this replica owns the log.
func (l *eventLog) startPublish() {
	o := &l.out
	if o.inFlight || l.broken != nil || time.Now().Before(o.next) {
		return
	}
	if !l.owned() {
		o.published, o.entries, o.soldOut, o.oldest = unknownCursor, nil, nil, time.Time{}
		outboxLag.DeleteLabelValues(l.id.String())
		return
	}
	if !o.oldest.IsZero() {
		outboxLag.WithLabelValues(l.id.String()).Set(time.Since(o.oldest).Seconds())
	}
	soldOut := l.state.SoldOut()
	changed := l.state.Event != nil && (o.soldOut == nil || *o.soldOut != soldOut)
	if o.published == l.state.Seq && !changed {
		return
	}
	o.inFlight, o.next = true, time.Now().Add(publishPause)
	batch, from, announced := l.unpublished(), o.published, o.soldOut
	l.engine.loops.Go(func() {
		ctx, cancel := context.WithTimeout(l.engine.ctx, publishTimeout)
		defer cancel()
		upTo, err := l.publishBatch(ctx, from, batch)
		result := publishResult{upTo: upTo, err: err, soldOut: announced}
		if changed && err == nil {
			if result.err = l.publishAvailability(ctx); result.err == nil {
				result.soldOut = &soldOut
			}
		}
		o.done <- result
	})
}

// unpublished returns the entries after the cursor, at most a batch, if memory
// has them without a gap, or nil if they must be read from the store.
func (l *eventLog) unpublished() []numberedEntry {
	o := &l.out
	if o.published == unknownCursor || len(o.entries) == 0 || o.entries[0].seq != o.published+1 {
		return nil
	}
	return append([]numberedEntry(nil), o.entries[:min(len(o.entries), publishBatch)]...)
}

// publishBatch publishes entries after from and moves the cursor, which it
// returns.
func (l *eventLog) publishBatch(ctx context.Context, from int64, batch []numberedEntry) (upTo int64, err error) {
	store := l.engine.store
	if from == unknownCursor {
		if from, _, err = store.Cursors(ctx, l.id); err != nil {
			return unknownCursor, err
		}
	}
	if batch == nil {
		stored, err := store.Read(ctx, l.id, from, publishBatch)
		if err != nil {
			return from, err
		}
		for _, e := range stored {
			entry := &logpb.Entry{}
			if err := proto.Unmarshal(e.Data, entry); err != nil {
				return from, fmt.Errorf("decode entry %d: %w", e.Seq, err)
			}
			batch = append(batch, numberedEntry{seq: e.Seq, entry: entry})
		}
	}
	messages, upTo := l.messages(from, batch)
	if upTo == from {
		return from, nil
	}
	if err := l.engine.publisher.Publish(ctx, messages); err != nil {
		return from, err
	}
	if err := store.SetPublished(ctx, l.id, upTo); err != nil {
		return from, err
	}
	return upTo, nil
}

// messages returns the messages for entries that the state has applied.
func (l *eventLog) messages(from int64, batch []numberedEntry) (messages []booking.Message, upTo int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	upTo = from
	for _, e := range batch {
		if e.seq > l.state.Seq {
			break
		}
		messages = append(messages, l.state.Messages(e.seq, e.entry)...)
		upTo = e.seq
	}
	return messages, upTo
}

// publishAvailability sends the event's counts to event-service.
func (l *eventLog) publishAvailability(ctx context.Context) error {
	l.mu.RLock()
	available, held, sold := l.state.Counts()
	a := events.EventAvailability{
		EventID: l.state.Event.EventID, Available: available, Held: held, Sold: sold, Total: available + held + sold, At: l.engine.clock.Now(),
	}
	ended := l.state.Event.Status == events.StatusCancelled
	l.mu.RUnlock()
	if ended {
		return nil
	}
	return l.engine.publisher.Availability(ctx, a)
}

// finishPublish records the outcome of a batch.
func (l *eventLog) finishPublish(done publishResult) {
	o := &l.out
	o.inFlight = false
	o.published, o.soldOut = done.upTo, done.soldOut
	if done.err != nil {
		o.next = time.Now().Add(retryPause)
		slog.Warn("publish failed, retrying", "event", l.id, "from", done.upTo, "error", done.err)
		return
	}
	for len(o.entries) > 0 && o.entries[0].seq <= o.published {
		o.entries = o.entries[1:]
	}
	switch {
	case o.published == l.state.Seq:
		o.oldest = time.Time{}
		outboxLag.DeleteLabelValues(l.id.String())
	case len(o.entries) > 0 && o.entries[0].seq == o.published+1:
		o.oldest = o.entries[0].at
	}
}

// flush publishes what is pending and writes the lists, for a limited time,
// before the log is handed over.
func (l *eventLog) flush() {
	if l.lists.inFlight {
		l.finishLists(<-l.lists.done)
	}
	l.lists.next = time.Time{}
	l.startLists()
	defer func() {
		if l.lists.inFlight {
			l.finishLists(<-l.lists.done)
		}
	}()
	for range 3 {
		if l.out.inFlight {
			l.finishPublish(<-l.out.done)
		}
		l.out.next = time.Time{}
		if l.startPublish(); !l.out.inFlight {
			return
		}
	}
	if l.out.inFlight {
		l.finishPublish(<-l.out.done)
	}
}
