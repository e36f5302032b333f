// Package outbox sends the messages of a Postgres outbox to Kafka.
package outbox

import (
	"context"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
)

// Publish returns the function with which a postgres.Relay publishes. source is
// the CloudEvents source of the service, such as /event-service.
func Publish(producer *kafka.Producer, source string) func(context.Context, []postgres.Message) error {
	return func(ctx context.Context, messages []postgres.Message) error {
		out := make([]kafka.Message, len(messages))
		for i, m := range messages {
			out[i] = kafka.Message{
				Topic: m.Topic, Key: m.Key, ID: m.ID, Type: m.Type, Source: source, Time: m.Time, Data: m.Data, Header: m.Headers,
			}
		}
		return producer.Publish(ctx, out...)
	}
}
