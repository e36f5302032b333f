package kafka

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// A backlog beyond highWater pauses the partition. No message may be lost or
// reordered, and consumption continues when the handler does.
func TestBacklogBeyondTheHighWaterMarkIsHandledInOrder(t *testing.T) {
	t.Parallel()
	onBrokers(t, 1, func(t *testing.T, brokers, topic string) {
		const n = 3 * highWater
		send(t, newProducer(t, brokers), topic, 0, n, sameKey)
		var got record
		release := make(chan struct{})
		var largest int
		consume(t, brokers, topic, topic, func(_ context.Context, batch []Message) error {
			<-release
			largest = max(largest, len(batch))
			for _, m := range batch {
				got.add(m)
			}
			return nil
		})
		gauge := lag.WithLabelValues(topic, topic, "0")
		testkit.Eventually(t, "the backlog is seen", func() bool { return testutil.ToFloat64(gauge) == n })
		close(release)
		testkit.Eventually(t, "all are handled", got.has(n))
		wantRun(t, got.all(), 0, n)
		if largest < 2 || largest > maxBatch {
			t.Errorf("the largest batch had %d messages", largest)
		}
	})
}
