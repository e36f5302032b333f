package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// DeliveryTimeout is how long the producer retries an unacknowledged message
// before it reports an error.
const DeliveryTimeout = 8 * time.Second

// queueFullWait is how long Publish lets a full queue drain before it tries again.
const queueFullWait = 5 * time.Millisecond

var tracer = otel.Tracer("github.com/frontrow-tickets/frontrow/pkg/kafka")

// Producer sends messages idempotently, acknowledged by all in-sync replicas.
// It is safe for concurrent use.
type Producer struct {
	p       *kafka.Producer
	drained sync.WaitGroup
	closed  atomic.Bool
	fatal   chan error
	stuck   stuck
	// stopWatching stops the goroutine that detects a stuck client.
	stopWatching context.CancelFunc
}

// NewProducer returns a producer. The brokers need not be up yet.
func NewProducer(cluster Cluster, clientID string) (*Producer, error) {
	p, err := kafka.NewProducer(cluster.config(kafka.ConfigMap{
		"client.id":                    clientID,
		"enable.idempotence":           true,
		"acks":                         "all",
		"linger.ms":                    5,
		"compression.type":             "lz4",
		"delivery.timeout.ms":          int(DeliveryTimeout.Milliseconds()),
		"request.timeout.ms":           5000,
		"socket.timeout.ms":            6000,
		"socket.nagle.disable":         true,
		"reconnect.backoff.ms":         50,
		"reconnect.backoff.max.ms":     1000,
		"queue.buffering.max.messages": 100_000,
		"queue.buffering.max.kbytes":   128 << 10,
		"allow.auto.create.topics":     false,
		"go.delivery.report.fields":    "none",
		"go.events.channel.size":       1000,
	}))
	if err != nil {
		return nil, fmt.Errorf("kafka: new producer: %w", err)
	}
	watching, stop := context.WithCancel(context.Background())
	t := &Producer{p: p, fatal: make(chan error, 1), stopWatching: stop}
	t.drained.Go(t.drain)
	go t.watch(watching, cluster)
	go logLines(p.Logs())
	return t, nil
}

// Run returns the error after which the producer can send no more and the
// process must exit, or nil when ctx ends.
func (t *Producer) Run(ctx context.Context) error {
	select {
	case err := <-t.fatal:
		return err
	case <-ctx.Done():
		return nil
	}
}

// drain runs the callback of every delivery report.
func (t *Producer) drain() {
	for e := range t.p.Events() {
		switch e := e.(type) {
		case *kafka.Message:
			if done, ok := e.Opaque.(func(error)); ok {
				done(e.TopicPartition.Error)
			}
		case kafka.Error:
			if e.IsFatal() {
				t.fail(t.p.GetFatalError())
			}
		}
	}
}

func (t *Producer) fail(err error) {
	select {
	case t.fatal <- fmt.Errorf("kafka: producer: %w", err):
	default:
	}
}

// PublishAsync queues a message and returns without waiting. Done is called
// once: with nil when all in-sync replicas have the message, or with an error
// when that failed or is unknown; then send it again with the same ID.
// ErrQueueFull is reported immediately. Done must not block: it delays all
// other callbacks.
func (t *Producer) PublishAsync(ctx context.Context, m Message, done func(error)) {
	m.complete()
	parent := ctx
	if len(m.Header) > 0 {
		parent = m.Context(ctx)
	}
	spanCtx, span := tracer.Start(parent, "send "+m.Topic, trace.WithSpanKind(trace.SpanKindProducer))
	if span.IsRecording() {
		span.SetAttributes(attribute.String("messaging.system", "kafka"),
			attribute.String("messaging.destination.name", m.Topic),
			attribute.String("messaging.message.id", m.ID), attribute.String("messaging.kafka.message.key", m.Key))
	}
	if h := TraceHeader(spanCtx); h != nil {
		m.Header = h
	}
	t.produce(m.encode(), func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
		done(err)
	})
}

func (t *Producer) produce(r *kafka.Message, done func(error)) {
	topic := *r.TopicPartition.Topic
	if t.closed.Load() {
		done(errors.New("kafka: the producer is closed"))
		return
	}
	r.Opaque = func(err error) {
		t.stuck.note(topic, err, time.Now())
		if err != nil {
			produced.WithLabelValues(topic, "failed").Inc()
			err = fmt.Errorf("kafka: send to %s: %w", topic, err)
		} else {
			produced.WithLabelValues(topic, "acked").Inc()
		}
		done(err)
	}
	err := t.p.Produce(r, nil)
	if err == nil {
		return
	}
	var kerr kafka.Error
	if errors.As(err, &kerr) && kerr.Code() == kafka.ErrQueueFull {
		err = ErrQueueFull
	}
	produced.WithLabelValues(topic, "failed").Inc()
	done(err)
}

// Publish sends messages and waits until all in-sync replicas have all of them.
// An error means that at least one may not have arrived: send all again with
// the same IDs. Publish waits while the queue is full.
func (t *Producer) Publish(ctx context.Context, msgs ...Message) error {
	return each(ctx, len(msgs), func(i int, done func(error)) { t.PublishAsync(ctx, msgs[i], done) })
}

// publishRaw is Publish for records that need not be CloudEvents.
func (t *Producer) publishRaw(ctx context.Context, records ...*kafka.Message) error {
	return each(ctx, len(records), func(i int, done func(error)) { t.produce(records[i], done) })
}

// each sends n items and returns the first error, or ctx's.
func each(ctx context.Context, n int, send func(i int, done func(error))) error {
	results := make(chan error, n)
	for i := range n {
		for {
			full := false
			send(i, func(err error) {
				// ErrQueueFull is reported within the call of send.
				if errors.Is(err, ErrQueueFull) {
					full = true
					return
				}
				results <- err
			})
			if !full {
				break
			}
			if !clock.Sleep(ctx, queueFullWait) {
				return context.Cause(ctx)
			}
		}
	}
	var first error
	for range n {
		select {
		case err := <-results:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return first
}

// Close waits until all messages are acknowledged or ctx ends. It then fails
// the callbacks of the remaining messages and returns an error with their
// number.
func (t *Producer) Close(ctx context.Context) error {
	if t.closed.Swap(true) {
		return nil
	}
	t.stopWatching()
	left := t.p.Flush(100)
	for left > 0 && ctx.Err() == nil {
		left = t.p.Flush(100)
	}
	if left > 0 {
		_ = t.p.Purge(kafka.PurgeInFlight | kafka.PurgeQueue)
		t.p.Flush(1000)
	}
	t.p.Close()
	t.drained.Wait()
	if left > 0 {
		return fmt.Errorf("kafka: producer closed with %d unacknowledged messages", left)
	}
	return nil
}
