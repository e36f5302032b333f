package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/otel/trace"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestUnstoredMessagesAreRedelivered(t *testing.T) {
	t.Parallel()
	onBrokers(t, 1, func(t *testing.T, brokers, topic string) {
		send(t, newProducer(t, brokers), topic, 0, 10, sameKey)
		var first, second record
		failed := make(chan struct{}, 100)
		stop := consume(t, brokers, topic, topic, Each(func(_ context.Context, m Message) error {
			if string(m.Data) == "5" {
				failed <- struct{}{}
				return errors.New("the store is down")
			}
			first.add(m)
			return nil
		}))
		<-failed
		stop()
		consume(t, brokers, topic, topic, Each(func(_ context.Context, m Message) error {
			second.add(m)
			return nil
		}))
		testkit.Eventually(t, "the second consumer has the rest", second.has(5))
		wantRun(t, first.all(), 0, 5)
		wantRun(t, second.all(), 5, 10)
	})
}

func TestRetryInPlaceKeepsOrderAndBlocksNoOtherKey(t *testing.T) {
	t.Parallel()
	onBrokers(t, 2, func(t *testing.T, brokers, topic string) {
		p := newProducer(t, brokers)
		send(t, p, topic, 0, 20, sameKey)
		var got, other record
		heal := make(chan struct{})
		consume(t, brokers, topic, topic, ByKey(4, func(_ context.Context, m Message) error {
			if m.Key != "k" {
				other.add(m)
				return nil
			}
			if string(m.Data) == "3" {
				select {
				case <-heal:
				default:
					return errors.New("not now")
				}
			}
			got.add(m)
			return nil
		}))
		testkit.Eventually(t, "the first three are handled", got.has(3))
		send(t, p, topic, 0, 8, strconv.Itoa)
		testkit.Eventually(t, "other keys are handled meanwhile", func() bool { return len(other.all()) >= 1 })
		close(heal)
		testkit.Eventually(t, "all are handled", got.has(20))
		wantRun(t, got.all(), 0, 20)
		testkit.Eventually(t, "the other keys too", other.has(8))
	})
}

func TestPoisonMessageGoesToDeadLetterTopic(t *testing.T) {
	t.Parallel()
	onBrokers(t, 1, func(t *testing.T, brokers, topic string) {
		p := newProducer(t, brokers)
		send(t, p, topic, 0, 2, sameKey)
		if err := p.publishRaw(t.Context(), &kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny},
			Key:            []byte("k"), Value: []byte("no CloudEvent"),
		}); err != nil {
			t.Fatal(err)
		}
		send(t, p, topic, 2, 6, sameKey)
		var got record
		// A handler of whole batches does not say which message is poison.
		consume(t, brokers, topic, topic, func(_ context.Context, batch []Message) error {
			for _, m := range batch {
				if string(m.Data) == "3" {
					return Poison(errors.New("no such booking kind"))
				}
				if string(m.Data) == "4" {
					panic("unexpected")
				}
			}
			for _, m := range batch {
				got.add(m)
			}
			return nil
		})
		testkit.Eventually(t, "the good ones are handled", got.has(4))
		if s := fmt.Sprint(got.all()); s != "[0 1 2 5]" {
			t.Errorf("handled %s", s)
		}
		dead := readRecords(t, brokers, DLQ(topic), 3)
		for i, want := range []string{"ce_specversion", "no such booking kind", "panic: unexpected"} {
			if r := header(dead[i], HeaderDLQReason); !strings.Contains(r, want) {
				t.Errorf("dead letter %d: reason %q, want %q", i, r, want)
			}
		}
		if o := header(dead[0], HeaderDLQOrigin); o != topic+"/0/2" {
			t.Errorf("origin %q", o)
		}
		if string(dead[1].Value) != "3" || header(dead[1], "ce_type") != "test" {
			t.Errorf("the dead letter is not what was sent: %v", dead[1])
		}
	})
}

func TestRebalanceInMidBatchNeverHandlesAPartitionTwiceAtOnce(t *testing.T) {
	t.Parallel()
	onBrokers(t, 4, func(t *testing.T, brokers, topic string) {
		const keys, each = 8, 60
		sent := each
		p := newProducer(t, brokers)
		send(t, p, topic, 0, keys*each, func(i int) string { return strconv.Itoa(i % keys) })
		var mu sync.Mutex
		atWork := map[string]bool{}
		next := map[string]int{}
		handled, byB := 0, 0
		handler := func(b bool) Handler {
			return Each(func(ctx context.Context, m Message) error {
				mu.Lock()
				if atWork[m.Key] {
					t.Errorf("key %s is handled by two at once", m.Key)
				}
				atWork[m.Key] = true
				mu.Unlock()
				select { // the effect takes time
				case <-time.After(time.Millisecond):
				case <-ctx.Done():
				}
				mu.Lock()
				defer mu.Unlock()
				atWork[m.Key] = false
				n, _ := strconv.Atoi(string(m.Data))
				if n/keys > next[m.Key] {
					t.Errorf("key %s: %d was skipped", m.Key, next[m.Key])
				}
				next[m.Key] = max(next[m.Key], n/keys+1)
				handled++
				if b {
					byB++
				}
				return nil
			})
		}
		count := func(of *int) int { mu.Lock(); defer mu.Unlock(); return *of }
		stop := consume(t, brokers, topic, topic, handler(false))
		testkit.Eventually(t, "the first is at work", func() bool { return count(&handled) > 20 })
		consume(t, brokers, topic, topic, handler(true))
		// The backlog must outlast the rebalance.
		for total := keys * each; count(&byB) == 0; total += keys {
			if total > 100_000 {
				t.Fatal("the second never got a share")
			}
			send(t, p, topic, total, total+keys, func(i int) string { return strconv.Itoa(i % keys) })
			sent = total/keys + 1
		}
		stop()
		testkit.Eventually(t, "all are handled", func() bool {
			mu.Lock()
			defer mu.Unlock()
			for k := range keys {
				if next[strconv.Itoa(k)] < sent {
					return false
				}
			}
			return true
		})
	})
}

func TestConsumerWaitsForABrokerThatIsAway(t *testing.T) {
	t.Parallel()
	cluster, err := kafka.NewMockCluster(1)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	brokers := cluster.BootstrapServers()
	topic := newMockTopic(t, cluster, 1)
	if err := cluster.SetBrokerDown(1); err != nil {
		t.Fatal(err)
	}
	var got record
	consume(t, brokers, topic, topic, Each(func(_ context.Context, m Message) error { got.add(m); return nil }))
	if err := cluster.SetBrokerUp(1); err != nil {
		t.Fatal(err)
	}
	send(t, newProducer(t, brokers), topic, 0, 1, sameKey)
	testkit.Eventually(t, "the message arrives", got.has(1))
}

func TestConsumerStopsWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	cluster, err := kafka.NewMockCluster(1)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	topic := newMockTopic(t, cluster, 1)
	send(t, newProducer(t, cluster.BootstrapServers()), topic, 0, 3, sameKey)
	var got record
	stop := consume(t, cluster.BootstrapServers(), topic, topic, Each(func(_ context.Context, m Message) error { got.add(m); return nil }))
	testkit.Eventually(t, "the messages arrive", got.has(3))
	if err := cluster.SetBrokerDown(1); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(15 * time.Second): // less than the lifecycle gives a part
		t.Error("the consumer does not stop")
	}
}

func TestTraceGoesOnInTheHandler(t *testing.T) {
	t.Parallel()
	onBrokers(t, 1, func(t *testing.T, brokers, topic string) {
		ctx, span := tracer.Start(t.Context(), "request")
		defer span.End()
		if err := newProducer(t, brokers).Publish(ctx, Message{Topic: topic, Key: "k", Type: "test", Data: []byte("1")}); err != nil {
			t.Fatal(err)
		}
		traces := make(chan trace.TraceID, 1)
		consume(t, brokers, topic, topic, Each(func(ctx context.Context, _ Message) error {
			traces <- trace.SpanContextFromContext(ctx).TraceID()
			return nil
		}))
		if got, want := <-traces, span.SpanContext().TraceID(); got != want {
			t.Errorf("the handler runs in trace %s, sent in %s", got, want)
		}
	})
}

func TestLagCountsMessagesNotYetStored(t *testing.T) {
	t.Parallel()
	onBrokers(t, 1, func(t *testing.T, brokers, topic string) {
		send(t, newProducer(t, brokers), topic, 0, 7, sameKey)
		release := make(chan struct{})
		consume(t, brokers, topic, topic, Each(func(context.Context, Message) error { <-release; return nil }))
		gauge := lag.WithLabelValues(topic, topic, "0")
		testkit.Eventually(t, "the lag is 7", func() bool { return testutil.ToFloat64(gauge) == 7 })
		close(release)
		testkit.Eventually(t, "the lag is 0", func() bool { return testutil.ToFloat64(gauge) == 0 })
	})
}

func readRecords(t *testing.T, brokers, topic string, n int) []*kafka.Message {
	t.Helper()
	c, err := kafka.NewConsumer(&kafka.ConfigMap{"bootstrap.servers": brokers, "group.id": testkit.Unique("reader")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Assign([]kafka.TopicPartition{{Topic: &topic, Partition: 0, Offset: 0}}); err != nil {
		t.Fatal(err)
	}
	var out []*kafka.Message
	testkit.Eventually(t, fmt.Sprintf("%d records in %s", n, topic), func() bool {
		if r, ok := c.Poll(100).(*kafka.Message); ok {
			out = append(out, r)
		}
		return len(out) == n
	})
	return out
}

func header(r *kafka.Message, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
