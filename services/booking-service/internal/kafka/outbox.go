// Package kafka connects the saga to Kafka: what bookings have to say, and what
// payment-service and event-service have said.
package kafka

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

const source = "/booking-service"

// Outbox implements booking.Outbox.
type Outbox struct{ producer *kafka.Producer }

// NewOutbox returns an outbox that sends by producer.
func NewOutbox(producer *kafka.Producer) *Outbox { return &Outbox{producer} }

// Publish implements booking.Outbox.
func (o *Outbox) Publish(messages []booking.Message, key string, done func(error)) {
	var mu sync.Mutex
	left, failure := len(messages), error(nil)
	for _, m := range messages {
		o.producer.PublishAsync(context.Background(), record(m, key), func(err error) {
			mu.Lock()
			if err != nil {
				failure = err
			}
			left--
			last, err := left == 0, failure
			mu.Unlock()
			if last {
				done(err)
			}
		})
	}
}

func record(m booking.Message, key string) kafka.Message {
	r := kafka.Message{
		Topic: m.Topic, Key: key, ID: m.ID.String(), Type: m.Type, Source: source, Time: m.Time, Data: m.Data,
	}
	if m.Traceparent != "" {
		r.Header = map[string]string{"traceparent": m.Traceparent}
	}
	return r
}

// Availability announces an event's counts. The newest wins, so that a lost
// one does no harm.
func (o *Outbox) Availability(a events.EventAvailability, done func(error)) {
	data, err := json.Marshal(a)
	if err != nil {
		done(err)
		return
	}
	o.producer.PublishAsync(context.Background(), kafka.Message{
		Topic: events.TopicEventAvailability, Key: a.EventID.String(), ID: uuid.Must(uuid.NewV7()).String(),
		Type: events.TypeEventAvailability, Source: source, Time: time.Now().UTC(), Data: data,
	}, done)
}
