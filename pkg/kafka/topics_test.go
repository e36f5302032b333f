package kafka

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// collect runs a consumer of topics and returns the keys it has handled.
func collect(t *testing.T, brokers string, topics ...string) func() []string {
	t.Helper()
	var mu sync.Mutex
	var keys []string
	handlers := map[string]Handler{}
	for _, topic := range topics {
		handlers[topic] = Each(func(_ context.Context, m Message) error {
			mu.Lock()
			defer mu.Unlock()
			keys = append(keys, m.Key)
			return nil
		})
	}
	c, err := NewConsumer(ConsumerConfig{
		Cluster: Cluster{Brokers: brokers}, Group: testkit.Unique("group"), ClientID: "test", Handlers: handlers,
		DLQ: newProducer(t, brokers),
	})
	if err != nil {
		t.Fatal(err)
	}
	background(t, c.Run)
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), keys...)
	}
}

// background runs a part of a process until the test ends.
func background(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := run(ctx); err != nil || ctx.Err() == nil {
			t.Errorf("the part ended with %v", err)
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
}

// deliver publishes a message, again and again while that fails, as an outbox
// does.
func deliver(t *testing.T, p *Producer, topic, key string) {
	t.Helper()
	for {
		err := p.Publish(t.Context(), Message{Topic: topic, Key: key, Type: "t", Source: "/test", Data: []byte("{}")})
		if err == nil {
			return
		}
		t.Logf("publish to %s: %v", topic, err)
		if !clock.Sleep(t.Context(), queueFullWait) {
			t.Fatal(t.Context().Err())
		}
	}
}

func TestClientsWaitForATopicThatIsCreatedLater(t *testing.T) {
	t.Parallel()
	brokers := testkit.Kafka(t)
	there, missing := newTopic(t, brokers, 2), testkit.Unique("test")
	keys := collect(t, brokers, there, missing)
	producer := newProducer(t, brokers)
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		deliver(t, producer, missing, "late")
	}()
	deliver(t, producer, there, "early")
	testkit.Eventually(t, "the topic that exists is read", func() bool { return len(keys()) == 1 })

	background(t, CreateTopics(Cluster{Brokers: brokers}, Topics{2, 1}, missing))
	<-waiting
	testkit.Eventually(t, "the other one is read too", func() bool { return len(keys()) == 2 })
}

func TestTopicsAreCreatedOnceTheBrokersAreUp(t *testing.T) {
	t.Parallel()
	address, topic := testkit.FreeAddr(t), testkit.Unique("test")
	cluster := Cluster{Brokers: address}
	background(t, CreateTopics(cluster, Topics{2, 1}, topic, DLQ(topic)))
	if err := newProducer(t, address).Publish(t.Context(), Message{Topic: topic, Key: "k", Type: "t", Source: "/test", Data: []byte("{}")}); err == nil {
		t.Fatal("published without brokers")
	}

	route(t, address, testkit.Kafka(t))
	for _, name := range []string{topic, DLQ(topic)} {
		testkit.Eventually(t, name+" exists", func() bool { return answers(cluster, name) })
	}
}

// route accepts connections at an address and passes them on to another.
func route(t *testing.T, from, to string) {
	t.Helper()
	ln, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
			go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
		}
	}()
}

func TestZeroPartitionsCreateNoTopic(t *testing.T) {
	t.Parallel()
	brokers, topic := testkit.Kafka(t), testkit.Unique("test")
	if err := EnsureTopics(t.Context(), Cluster{Brokers: brokers}, Topics{0, 1}, topic); err != nil {
		t.Fatal(err)
	}
	if answers(Cluster{Brokers: brokers}, topic) {
		t.Error("the topic exists")
	}
}
