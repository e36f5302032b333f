// Package kafka connects event-service to Kafka: it publishes the outbox and
// consumes the counts of seats.
package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/postgres"
)

// Topics are the topics that event-service creates: its own, and the
// dead-letter topic of the one that it reads.
var Topics = []string{events.TopicEventChanged, events.TopicAudit, kafka.DLQ(events.TopicEventAvailability)}

// Handlers returns the handler that switches events between published and sold
// out. It needs no inbox: the newest count wins, however often it arrives.
func Handlers(store *postgres.Store) map[string]kafka.Handler {
	return map[string]kafka.Handler{
		events.TopicEventAvailability: kafka.Each(func(ctx context.Context, m kafka.Message) error {
			return applyAvailability(ctx, store, m)
		}),
	}
}

func applyAvailability(ctx context.Context, store *postgres.Store, m kafka.Message) error {
	if m.Type != events.TypeEventAvailability {
		return kafka.Poison(fmt.Errorf("unexpected message type %q", m.Type))
	}
	var a events.EventAvailability
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return kafka.Poison(err)
	}
	if a.EventID == uuid.Nil || a.At.IsZero() || a.Available < 0 || a.Held < 0 || a.Total < 0 {
		return kafka.Poison(errors.New("not a count of an event's seats"))
	}
	return store.ApplyAvailability(ctx, a)
}
