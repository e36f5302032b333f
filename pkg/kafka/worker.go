package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// The backoff between attempts at a message grows from minBackoff to
// maxBackoff.
const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// worker handles the messages of one partition while it is assigned to us.
type worker struct {
	t       *Consumer
	p       partition
	handle  Handler
	ctx     context.Context // passed to the handler
	cancel  context.CancelFunc
	stopped chan struct{} // closed: start no new batch
	done    chan struct{} // closed: the worker has ended
	wake    chan struct{}

	mu     sync.Mutex
	queue  []*kafka.Message
	atWork int
	// next is the offset after the last effect stored; -1 before the first message.
	next int64
}

func startWorker(t *Consumer, p partition) *worker {
	w := &worker{
		t: t, p: p, handle: t.cfg.Handlers[p.topic], next: -1,
		stopped: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	go w.run()
	return w
}

// stop ends the worker after the running handler call, whose context ends after
// grace.
func (w *worker) stop(grace time.Duration) {
	close(w.stopped)
	if grace == 0 {
		w.cancel()
		return
	}
	timer := time.AfterFunc(grace, w.cancel)
	go func() {
		<-w.done
		timer.Stop()
		w.cancel()
	}()
}

func (w *worker) at(offset kafka.Offset) kafka.TopicPartition {
	return kafka.TopicPartition{Topic: &w.p.topic, Partition: w.p.n, Offset: offset}
}

// push queues a message and returns the queue's length.
func (w *worker) push(r *kafka.Message) int {
	w.mu.Lock()
	if w.next < 0 {
		w.next = int64(r.TopicPartition.Offset)
	}
	w.queue = append(w.queue, r)
	n := len(w.queue) + w.atWork
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return n
}

func (w *worker) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) + w.atWork
}

func (w *worker) position() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next
}

// take returns the queued messages, at most maxBatch, or nil when the worker is
// stopped.
func (w *worker) take() []*kafka.Message {
	for {
		select {
		case <-w.stopped:
			return nil
		default:
		}
		w.mu.Lock()
		n := min(len(w.queue), maxBatch)
		batch := w.queue[:n:n]
		w.queue = w.queue[n:]
		w.atWork = n
		w.mu.Unlock()
		if n > 0 {
			return batch
		}
		select {
		case <-w.stopped:
			return nil
		case <-w.wake:
		}
	}
}

func (w *worker) run() {
	defer close(w.done)
	for {
		records := w.take()
		if records == nil {
			return
		}
		if !w.settle(records) {
			return
		}
	}
}

// pending is a message whose effect is not stored yet.
type pending struct {
	record *kafka.Message
	msg    Message
	err    error // decoding error
}

// settle handles records until each is handled or in the dead-letter topic. It
// returns false if the worker was stopped first.
func (w *worker) settle(records []*kafka.Message) bool {
	todo := make([]pending, len(records))
	for i, r := range records {
		m, err := decode(r)
		todo[i] = pending{record: r, msg: m, err: err}
	}
	batchSize.WithLabelValues(w.t.cfg.Group, w.p.topic).Observe(float64(len(todo)))
	end := int64(records[len(records)-1].TopicPartition.Offset) + 1
	oneByOne := false
	for attempt := 0; len(todo) > 0; {
		left, cause := w.attempt(todo, &oneByOne)
		if len(left) < len(todo) {
			attempt = 0
		}
		todo = left
		if len(todo) == 0 {
			w.store(end)
			return true
		}
		w.store(int64(todo[0].record.TopicPartition.Offset))
		if cause != nil {
			attempt++
			consumed.WithLabelValues(w.t.cfg.Group, w.p.topic, "retried").Inc()
			slog.Warn("kafka: handler failed, retrying", "group", w.t.cfg.Group, "topic", w.p.topic, "partition", w.p.n,
				"messages", len(todo), "attempt", attempt, "error", cause)
			if !w.pause(attempt) {
				return false
			}
		}
		select {
		case <-w.stopped:
			return false
		default:
		}
	}
	return true
}

// attempt tries the pending messages once. It returns those that are left, in
// order, and the transient error that caused it, if any.
func (w *worker) attempt(todo []pending, oneByOne *bool) (left []pending, cause error) {
	n := 0 // decodable messages at the front
	for n < len(todo) && todo[n].err == nil {
		n++
	}
	if n == 0 {
		if err := w.deadLetter(todo[0], todo[0].err); err != nil {
			return todo, err
		}
		return todo[1:], nil
	}
	if *oneByOne {
		n = 1
	}
	batch := make([]Message, n)
	for i := range n {
		batch[i] = todo[i].msg
	}
	err := tracedBatch(w.ctx, w.p.topic, batch, w.handle)
	errs := make([]error, n)
	var partly *BatchError
	switch {
	case err == nil:
	case errors.As(err, &partly) && len(partly.Errs) == n:
		copy(errs, partly.Errs)
	case IsPoison(err) && n > 1:
		*oneByOne = true
		return todo, nil
	default:
		for i := range errs {
			errs[i] = err
		}
	}
	handled := 0
	for i, err := range errs {
		if IsPoison(err) {
			err = w.deadLetter(todo[i], err)
		} else if err == nil {
			handled++
		}
		if err != nil {
			left = append(left, todo[i])
			if cause == nil {
				cause = err
			}
		}
	}
	consumed.WithLabelValues(w.t.cfg.Group, w.p.topic, "handled").Add(float64(handled))
	return append(left, todo[n:]...), cause
}

// deadLetter sends a message to the dead-letter topic.
func (w *worker) deadLetter(m pending, reason error) error {
	topic := DLQ(w.p.topic)
	origin := fmt.Sprintf("%s/%d/%d", w.p.topic, w.p.n, int64(m.record.TopicPartition.Offset))
	dead := &kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny},
		Key:            m.record.Key, Value: m.record.Value,
		Headers: append(append([]kafka.Header(nil), m.record.Headers...),
			kafka.Header{Key: HeaderDLQReason, Value: []byte(reason.Error())},
			kafka.Header{Key: HeaderDLQOrigin, Value: []byte(origin)}),
	}
	if err := w.t.cfg.DLQ.publishRaw(w.ctx, dead); err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	consumed.WithLabelValues(w.t.cfg.Group, w.p.topic, "dlq").Inc()
	slog.Error("kafka: dead letter", "group", w.t.cfg.Group, "origin", origin, "dlq", topic, "reason", reason)
	return nil
}

// store marks everything before offset for commit.
func (w *worker) store(offset int64) {
	w.mu.Lock()
	moved := offset > w.next
	if moved {
		w.next = offset
	}
	w.mu.Unlock()
	if !moved {
		return
	}
	if _, err := w.t.c.StoreOffsets([]kafka.TopicPartition{w.at(kafka.Offset(offset))}); err != nil {
		slog.Warn("kafka: store offset failed, expect redelivery", "topic", w.p.topic, "partition", w.p.n, "error", err)
	}
}

// pause waits before the next attempt. It returns false if the worker was
// stopped.
func (w *worker) pause(attempt int) bool {
	d := min(minBackoff<<min(attempt-1, 10), maxBackoff)
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.stopped:
		return false
	}
}
