package main

import (
	"context"
	"sync"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// topic collects the messages of a topic, by key.
type topic struct {
	mu       sync.Mutex
	messages map[string][]kafka.Message
}

func listen(t *testing.T, name string) *topic {
	t.Helper()
	l := &topic{messages: map[string][]kafka.Message{}}
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: kafka.Cluster{Brokers: testkit.Kafka(t)}, Group: testkit.Unique("listener"), ClientID: "listener",
		Handlers: map[string]kafka.Handler{name: kafka.Each(func(_ context.Context, m kafka.Message) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.messages[m.Key] = append(l.messages[m.Key], m)
			return nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = consumer.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return l
}

func (l *topic) about(key string) []kafka.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]kafka.Message(nil), l.messages[key]...)
}
