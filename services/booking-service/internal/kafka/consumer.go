package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// handleTimeout bounds one message; after it the message is handled again.
const handleTimeout = 10 * time.Second

// concurrent bookings of one partition: many, so that their changes meet in
// the same rounds.
const concurrent = 64

// Payments returns the handler of payment_processed.
func Payments(service *booking.Service) kafka.Handler {
	return kafka.ByKey(concurrent, func(ctx context.Context, m kafka.Message) error {
		ctx, cancel := context.WithTimeout(ctx, handleTimeout)
		defer cancel()
		switch m.Type {
		case events.TypePaymentConfirmed:
			return handle(ctx, m, service.PaymentConfirmed)
		case events.TypePaymentFailed:
			return handle(ctx, m, service.PaymentFailed)
		case events.TypePaymentRefunded:
			return handle(ctx, m, service.PaymentRefunded)
		}
		return kafka.Poison(fmt.Errorf("unknown type %q", m.Type))
	})
}

// EventChanges returns the handler of event_changed. Opening a sale of 100,000
// seats takes its time.
func EventChanges(service *booking.Service) kafka.Handler {
	return kafka.Each(func(ctx context.Context, m kafka.Message) error {
		if m.Type != events.TypeEventChanged {
			return kafka.Poison(fmt.Errorf("unknown type %q", m.Type))
		}
		return handle(ctx, m, func(ctx context.Context, def events.EventChanged) error {
			if _, err := booking.NewEvent(def); err != nil {
				return kafka.Poison(err) // a plan that contradicts itself stays so
			}
			return service.Changed(ctx, def)
		})
	})
}

func handle[T any](ctx context.Context, m kafka.Message, do func(context.Context, T) error) error {
	var payload T
	if err := json.Unmarshal(m.Data, &payload); err != nil {
		return kafka.Poison(fmt.Errorf("%s: %w", m.Type, err))
	}
	err := do(ctx, payload)
	var refusal *booking.Refusal
	if errors.As(err, &refusal) || errors.Is(err, booking.ErrNoBlock) {
		return kafka.Poison(err)
	}
	return err
}
