// Package kafka connects payment-service to the other services' messages.
package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	payments "github.com/frontrow-tickets/frontrow/services/payment-service/internal/postgres"
)

// Topics are the topics that payment-service creates: its own, and the
// dead-letter topics of all that it reads.
var Topics = []string{
	events.TopicPaymentProcessed, events.TopicAudit,
	kafka.DLQ(events.TopicBookingCreated), kafka.DLQ(events.TopicBookingCancelled),
}

// Handlers returns handlers that store the effects of booking-service's
// messages, one batch per transaction. They need no inbox: handling a message
// again has no effect.
func Handlers(store *payments.Store) map[string]kafka.Handler {
	return map[string]kafka.Handler{
		events.TopicBookingCreated: batch(events.TypeBookingCreated, store.BookingsCreated, func(b events.BookingCreated) error {
			switch {
			case b.BookingID == uuid.Nil || b.UserID == uuid.Nil:
				return errors.New("missing booking_id or user_id")
			case b.Total.Amount < 0 || len(b.Total.Currency) != 3:
				return fmt.Errorf("total %v is not a price", b.Total)
			case b.ExpiresAt.IsZero():
				return errors.New("missing expires_at")
			}
			return nil
		}),
		events.TopicBookingCancelled: batch(events.TypeBookingCancelled, store.BookingsCancelled, func(b events.BookingCancelled) error {
			if b.BookingID == uuid.Nil || b.Reason == "" || b.CancelledAt.IsZero() {
				return errors.New("missing booking_id, reason or cancelled_at")
			}
			return nil
		}),
	}
}

// batch decodes messages of one type and passes the valid ones to store.
func batch[T any](typ string, store func(context.Context, []T) error, valid func(T) error) kafka.Handler {
	return func(ctx context.Context, in []kafka.Message) error {
		errs := make([]error, len(in))
		var good []T
		bad := false
		for i, m := range in {
			v, err := decode[T](m, typ)
			if err == nil {
				err = valid(v)
			}
			if err != nil {
				errs[i], bad = kafka.Poison(err), true
				continue
			}
			good = append(good, v)
		}
		if len(good) > 0 {
			if err := store(ctx, good); err != nil {
				return err
			}
		}
		if bad {
			return &kafka.BatchError{Errs: errs}
		}
		return nil
	}
}

func decode[T any](m kafka.Message, typ string) (v T, err error) {
	if m.Type != typ {
		return v, fmt.Errorf("unexpected type %q", m.Type)
	}
	if err := json.Unmarshal(m.Data, &v); err != nil {
		return v, fmt.Errorf("decode data: %w", err)
	}
	return v, nil
}
