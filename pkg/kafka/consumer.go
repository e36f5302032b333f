package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

const (
	// maxBatch limits the messages passed to a Handler at once.
	maxBatch = 500
	// A partition is paused while more than highWater of its messages wait for
	// the handler, and resumed at lowWater.
	highWater = 2000
	lowWater  = 500
	// revokeGrace is how long a batch may continue after its partition is
	// revoked or the consumer stops; then its context ends.
	revokeGrace = 5 * time.Second
	pollEvery   = 100 * time.Millisecond
	lagEvery    = time.Second
)

// ConsumerConfig configures a Consumer.
type ConsumerConfig struct {
	// Cluster is the cluster to read from. The brokers need not be up yet.
	Cluster Cluster
	// Group is the consumer group whose members share the partitions.
	Group    string
	ClientID string
	// Handlers maps topics to handlers.
	Handlers map[string]Handler
	// DLQ sends poison messages to the dead-letter topics.
	DLQ *Producer
}

// Consumer reads topics as a member of a group. It handles partitions
// concurrently and the messages of one partition in order, at least once.
type Consumer struct {
	cfg     ConsumerConfig
	c       *kafka.Consumer
	workers map[partition]*worker
	paused  map[*worker]bool
}

type partition struct {
	topic string
	n     int32
}

// NewConsumer returns a consumer. Run starts it.
func NewConsumer(cfg ConsumerConfig) (*Consumer, error) {
	c, err := kafka.NewConsumer(cfg.Cluster.config(kafka.ConfigMap{
		"group.id":                           cfg.Group,
		"client.id":                          cfg.ClientID,
		"enable.auto.commit":                 true,
		"auto.commit.interval.ms":            1000,
		"enable.auto.offset.store":           false,
		"auto.offset.reset":                  "earliest",
		"partition.assignment.strategy":      "cooperative-sticky",
		"session.timeout.ms":                 10_000,
		"heartbeat.interval.ms":              2000,
		"reconnect.backoff.ms":               50,
		"reconnect.backoff.max.ms":           1000,
		"topic.metadata.refresh.interval.ms": 10_000,
		"fetch.queue.backoff.ms":             20,
		// A short wait turns many small fetches into a few large ones.
		"fetch.min.bytes":            1,
		"fetch.wait.max.ms":          500,
		"queued.max.messages.kbytes": 16 << 10,
	}))
	if err != nil {
		return nil, fmt.Errorf("kafka: new consumer: %w", err)
	}
	go logLines(c.Logs())
	for topic := range cfg.Handlers {
		// Create the counters at zero: one that first appears with a value
		// shows no increase.
		for _, outcome := range []string{"handled", "retried", "dlq"} {
			consumed.WithLabelValues(cfg.Group, topic, outcome)
		}
	}
	return &Consumer{cfg: cfg, c: c, workers: map[partition]*worker{}, paused: map[*worker]bool{}}, nil
}

// Run reads until ctx ends; then it lets running batches finish, commits their
// offsets and leaves the group. It returns an error only if the consumer can
// never continue. It may be called once.
func (t *Consumer) Run(ctx context.Context) error {
	topics := slices.Sorted(maps.Keys(t.cfg.Handlers))
	if err := t.c.SubscribeTopics(topics, t.rebalance); err != nil {
		return errors.Join(fmt.Errorf("kafka: subscribe: %w", err), t.c.Close())
	}
	err := t.poll(ctx)
	t.stop(slices.Collect(maps.Keys(t.workers)), revokeGrace)
	// Close leaves the group and commits the stored offsets.
	if cerr := t.c.Close(); cerr != nil {
		slog.Warn("kafka: close consumer failed", "group", t.cfg.Group, "error", cerr)
	}
	return err
}

// poll is the only goroutine that uses the client, except for storing offsets.
func (t *Consumer) poll(ctx context.Context) error {
	nextLag := time.Now()
	for ctx.Err() == nil {
		switch e := t.c.Poll(int(pollEvery.Milliseconds())).(type) {
		case *kafka.Message:
			t.receive(e)
		case kafka.Error:
			if e.IsFatal() {
				return fmt.Errorf("kafka: consumer of group %s: %w", t.cfg.Group, e)
			}
			if !quiet(e.Code()) {
				slog.Warn("kafka: consumer error", "group", t.cfg.Group, "error", e)
			}
		}
		t.resume()
		if now := time.Now(); now.After(nextLag) {
			t.measureLag()
			nextLag = now.Add(lagEvery)
		}
	}
	return nil
}

// quiet reports whether librdkafka already logs errors with this code, at a
// bounded rate.
func quiet(code kafka.ErrorCode) bool {
	return code == kafka.ErrAllBrokersDown || code == kafka.ErrTransport || code == kafka.ErrResolve
}

func (t *Consumer) receive(r *kafka.Message) {
	p := partition{*r.TopicPartition.Topic, r.TopicPartition.Partition}
	if r.TopicPartition.Error != nil {
		slog.Warn("kafka: consume failed", "group", t.cfg.Group, "topic", p.topic, "error", r.TopicPartition.Error)
		return
	}
	w := t.workers[p]
	if w == nil {
		return // the partition was revoked; its next owner reads the message
	}
	if w.push(r) >= highWater && !t.paused[w] {
		if err := t.c.Pause([]kafka.TopicPartition{w.at(kafka.OffsetInvalid)}); err == nil {
			t.paused[w] = true
		}
	}
}

func (t *Consumer) resume() {
	for w := range t.paused {
		if w.waiting() <= lowWater {
			if err := t.c.Resume([]kafka.TopicPartition{w.at(kafka.OffsetInvalid)}); err == nil {
				delete(t.paused, w)
			}
		}
	}
}

// rebalance runs within Poll and Close. When it returns, the client assigns and
// unassigns by itself, and commits the stored offsets of revoked partitions.
func (t *Consumer) rebalance(_ *kafka.Consumer, e kafka.Event) error {
	switch e := e.(type) {
	case kafka.AssignedPartitions:
		for _, tp := range e.Partitions {
			p := partition{*tp.Topic, tp.Partition}
			t.workers[p] = startWorker(t, p)
		}
	case kafka.RevokedPartitions:
		grace := revokeGrace
		if t.c.AssignmentLost() {
			grace = 0 // other consumers already own them
		}
		ps := make([]partition, 0, len(e.Partitions))
		for _, tp := range e.Partitions {
			ps = append(ps, partition{*tp.Topic, tp.Partition})
		}
		t.stop(ps, grace)
	}
	return nil
}

// stop ends workers and returns when they are idle.
func (t *Consumer) stop(ps []partition, grace time.Duration) {
	var stopped []*worker
	for _, p := range ps {
		if w := t.workers[p]; w != nil {
			w.stop(grace)
			stopped = append(stopped, w)
			delete(t.workers, p)
			if t.paused[w] {
				// Otherwise the partition would still be paused if it were
				// assigned to us again.
				_ = t.c.Resume([]kafka.TopicPartition{w.at(kafka.OffsetInvalid)})
				delete(t.paused, w)
			}
		}
	}
	for _, w := range stopped {
		<-w.done
		lag.DeleteLabelValues(t.cfg.Group, w.p.topic, strconv.Itoa(int(w.p.n)))
	}
}

func (t *Consumer) measureLag() {
	for p, w := range t.workers {
		behind := 0.0
		if next := w.position(); next >= 0 {
			if _, high, err := t.c.GetWatermarkOffsets(p.topic, p.n); err == nil && high > next {
				behind = float64(high - next)
			}
		}
		lag.WithLabelValues(t.cfg.Group, p.topic, strconv.Itoa(int(p.n))).Set(behind)
	}
}
