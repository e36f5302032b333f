package kafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestMain(m *testing.M) {
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetTracerProvider(sdktrace.NewTracerProvider())
	os.Exit(m.Run())
}

// onBrokers runs a test against librdkafka's in-process mock cluster and
// against a real one, with a new topic of the given number of partitions.
func onBrokers(t *testing.T, partitions int, test func(t *testing.T, brokers, topic string)) {
	t.Run("mock", func(t *testing.T) {
		t.Parallel()
		cluster, err := kafka.NewMockCluster(1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cluster.Close)
		test(t, cluster.BootstrapServers(), newMockTopic(t, cluster, partitions))
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		brokers := testkit.Kafka(t)
		test(t, brokers, newTopic(t, brokers, partitions))
	})
}

func newMockTopic(t *testing.T, cluster *kafka.MockCluster, partitions int) string {
	t.Helper()
	topic := testkit.Unique("test")
	if err := errors.Join(cluster.CreateTopic(topic, partitions, 1), cluster.CreateTopic(DLQ(topic), 1, 1)); err != nil {
		t.Fatal(err)
	}
	return topic
}

func newTopic(t *testing.T, brokers string, partitions int) string {
	t.Helper()
	topic := testkit.Unique("test")
	for range 2 { // the second time the topic exists
		if err := EnsureTopics(t.Context(), Cluster{Brokers: brokers}, Topics{partitions, 1}, topic); err != nil {
			t.Fatal(err)
		}
	}
	if err := EnsureTopics(t.Context(), Cluster{Brokers: brokers}, Topics{1, 1}, DLQ(topic)); err != nil {
		t.Fatal(err)
	}
	return topic
}

func newProducer(t *testing.T, brokers string) *Producer {
	t.Helper()
	p, err := NewProducer(Cluster{Brokers: brokers}, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(context.WithoutCancel(t.Context())) })
	return p
}

// consume runs a consumer until the returned function is called or the test ends.
func consume(t *testing.T, brokers, group, topic string, handle Handler) (stop func()) {
	t.Helper()
	c, err := NewConsumer(ConsumerConfig{
		Cluster: Cluster{Brokers: brokers}, Group: group, ClientID: "test",
		Handlers: map[string]Handler{topic: handle}, DLQ: newProducer(t, brokers),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := c.Run(ctx); err != nil {
			t.Errorf("consumer: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func send(t *testing.T, p *Producer, topic string, from, to int, key func(i int) string) {
	t.Helper()
	var msgs []Message
	for i := from; i < to; i++ {
		msgs = append(msgs, Message{Topic: topic, Key: key(i), Type: "test", Source: "/test", Data: fmt.Appendf(nil, "%d", i)})
	}
	if err := p.Publish(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
}

func sameKey(int) string { return "k" }

// record records numbers in the order they were handled.
type record struct {
	mu   sync.Mutex
	seen []int
}

func (r *record) add(m Message) int {
	n, _ := strconv.Atoi(string(m.Data))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, n)
	return n
}

func (r *record) all() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int(nil), r.seen...)
}

func (r *record) has(n int) func() bool {
	return func() bool { return len(r.all()) >= n }
}

func wantRun(t *testing.T, got []int, from, to int) {
	t.Helper()
	for i, n := range got {
		if n != from+i {
			t.Fatalf("handled %v, want %d to %d in order", got, from, to-1)
		}
	}
	if len(got) != to-from {
		t.Fatalf("handled %v, want %d to %d", got, from, to-1)
	}
}

func TestPublishFailsWhileBrokersAreAway(t *testing.T) {
	t.Parallel()
	p := newProducer(t, testkit.FreeAddr(t))
	start := time.Now()
	err := p.Publish(t.Context(), Message{Topic: "t", Key: "k", Type: "x"})
	if err == nil {
		t.Fatal("no error without a broker")
	}
	if took := time.Since(start); took > DeliveryTimeout+7*time.Second {
		t.Errorf("said so after %v", took)
	}
}

func TestCloseReportsUndeliveredMessages(t *testing.T) {
	t.Parallel()
	p := newProducer(t, testkit.FreeAddr(t))
	results := make(chan error, 1)
	p.PublishAsync(t.Context(), Message{Topic: "t", Key: "k", Type: "x"}, func(err error) { results <- err })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Close(ctx); err == nil {
		t.Error("closed without an error although a message is left")
	}
	if err := <-results; err == nil {
		t.Error("the message left was reported as sent")
	}
	p.PublishAsync(t.Context(), Message{Topic: "t"}, func(err error) { results <- err })
	if err := <-results; err == nil {
		t.Error("a closed producer took a message")
	}
}

func TestFullQueueIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	p := newProducer(t, testkit.FreeAddr(t))
	refused := false
	for range 100_001 {
		p.PublishAsync(t.Context(), Message{Topic: "t", Key: "k", ID: "1", Type: "x"}, func(err error) {
			refused = refused || errors.Is(err, ErrQueueFull)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = p.Close(ctx)
	if !refused {
		t.Error("a full queue took one more message")
	}
}
