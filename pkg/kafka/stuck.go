package kafka

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

const (
	// stuckAfter is how long no message may get through to a cluster that
	// answers other clients before the producer is considered stuck.
	stuckAfter = 30 * time.Second
	stuckCheck = 5 * time.Second
)

var errStuck = errors.New("messages time out though the cluster answers: the client is stuck")

// stuck detects a client that has permanently lost its connection to the
// brokers. This can happen to an idempotent producer after a broker outage:
// everything times out until the process restarts (seen with librdkafka 2.15,
// and reported by others: librdkafka issues 3189 and 3635).
type stuck struct {
	// failing is the time of the first failure since the last delivery, in Unix
	// nanoseconds; 0 if none.
	failing atomic.Int64
	// topic is the topic of the last failure.
	topic atomic.Value
	// reachable is since when the cluster has answered other clients without
	// interruption.
	reachable time.Time
}

// note records the outcome of a message to a topic.
func (s *stuck) note(topic string, err error, now time.Time) {
	var kerr kafka.Error
	switch {
	case err == nil:
		s.failing.Store(0)
	case errors.As(err, &kerr) && kerr.Code() == kafka.ErrMsgTimedOut:
		s.topic.Store(topic)
		s.failing.CompareAndSwap(0, now.UnixNano())
	}
}

// check reports whether the client is stuck. answers probes the cluster with
// another client: a topic that does not exist yet is no reason to restart.
func (s *stuck) check(now time.Time, answers func(topic string) bool) bool {
	failing := s.failing.Load()
	topic, _ := s.topic.Load().(string)
	if failing == 0 || !answers(topic) {
		s.reachable = time.Time{}
		return false
	}
	if s.reachable.IsZero() {
		s.reachable = now
	}
	return now.Sub(s.reachable) >= stuckAfter && now.Sub(time.Unix(0, failing)) >= stuckAfter
}

// watch reports a stuck client as the fatal error.
func (t *Producer) watch(ctx context.Context, cluster Cluster) {
	tick := time.NewTicker(stuckCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if t.stuck.check(now, func(topic string) bool { return answers(cluster, topic) }) {
				t.fail(errStuck)
				return
			}
		}
	}
}

// answers reports whether a new client learns a leader for every partition, those
// of a topic among them.
func answers(cluster Cluster, topic string) bool {
	// Its log is not read: only the response matters.
	admin, err := kafka.NewAdminClient(cluster.config(kafka.ConfigMap{}))
	if err != nil {
		return false
	}
	defer admin.Close()
	meta, err := admin.GetMetadata(nil, true, 2000)
	if err != nil || len(meta.Topics[topic].Partitions) == 0 {
		return false
	}
	for _, t := range meta.Topics {
		for _, p := range t.Partitions {
			if p.Leader < 0 {
				return false
			}
		}
	}
	return true
}
