// Package saga connects the logs to Kafka: it consumes messages from
// payment-service and event-service, and publishes the logs' messages.
package saga

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

const (
	source = "/booking-service"
	// handleTimeout limits handling one message, which is then retried.
	handleTimeout = 10 * time.Second
	// concurrent is the number of messages of one partition handled at once:
	// many, so that they share rounds.
	concurrent = 256
)

// Topics are the topics that booking-service creates: its own, and those that it
// reads with their dead-letter topics.
var Topics = []string{
	events.TopicBookingCreated, events.TopicBookingConfirmed, events.TopicBookingCancelled, events.TopicEventAvailability,
	events.TopicAudit,
	events.TopicPaymentProcessed, kafka.DLQ(events.TopicPaymentProcessed),
	events.TopicEventChanged, kafka.DLQ(events.TopicEventChanged),
}

// Handlers returns the handlers of the messages that booking-service reads.
func Handlers(engine *eventlog.Engine) map[string]kafka.Handler {
	return map[string]kafka.Handler{
		events.TopicPaymentProcessed: payments(engine),
		events.TopicEventChanged:     eventChanges(engine),
	}
}

// payments returns the handler of payment_processed.
func payments(engine *eventlog.Engine) kafka.Handler {
	return kafka.ByKey(concurrent, func(ctx context.Context, m kafka.Message) error {
		command, err := payment(m)
		if err != nil {
			return kafka.Poison(err)
		}
		ctx, cancel := context.WithTimeout(ctx, handleTimeout)
		defer cancel()
		answer, err := engine.Do(ctx, command)
		if err != nil {
			return err
		}
		switch reason := booking.Reason(answer.GetRefusal()); reason {
		case "":
			return nil
		case booking.SecondPayment:
			slog.ErrorContext(ctx, "confirmed booking paid again", "message", m.ID, "booking", m.Key)
			return nil
		default:
			return kafka.Poison(fmt.Errorf("%s: %s", m.Type, reason))
		}
	})
}

// payment converts a message of payment-service to a command.
func payment(m kafka.Message) (*logpb.Command, error) {
	var p struct {
		PaymentID   uuid.UUID           `json:"payment_id"`
		BookingID   uuid.UUID           `json:"booking_id"`
		FailureCode string              `json:"failure_code"`
		Reason      events.CancelReason `json:"reason"`
	}
	outcomes := map[string]logpb.Payment_Outcome{
		events.TypePaymentConfirmed: logpb.Payment_CONFIRMED, events.TypePaymentFailed: logpb.Payment_FAILED,
		events.TypePaymentRefunded: logpb.Payment_REFUNDED,
	}
	outcome, ok := outcomes[m.Type]
	if !ok {
		return nil, fmt.Errorf("unknown type %q", m.Type)
	}
	if err := json.Unmarshal(m.Data, &p); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Type, err)
	}
	return &logpb.Command{
		Event: uint64(eventlog.IDOf(p.BookingID)), Traceparent: m.Header["traceparent"],
		Kind: &logpb.Command_Payment{Payment: &logpb.Payment{
			Booking: booking.OwnHalf(p.BookingID), Payment: p.PaymentID[:], Outcome: outcome, FailureCode: p.FailureCode, Reason: string(p.Reason),
		}},
	}, nil
}

// eventChanges returns the handler of event_changed.
func eventChanges(engine *eventlog.Engine) kafka.Handler {
	return kafka.Each(func(ctx context.Context, m kafka.Message) error {
		if m.Type != events.TypeEventChanged {
			return kafka.Poison(fmt.Errorf("unknown type %q", m.Type))
		}
		var def events.EventChanged
		if err := json.Unmarshal(m.Data, &def); err != nil {
			return kafka.Poison(fmt.Errorf("%s: %w", m.Type, err))
		}
		if _, err := booking.NewEvent(m.Data, nil); err != nil {
			return kafka.Poison(err)
		}
		ctx, cancel := context.WithTimeout(ctx, handleTimeout)
		defer cancel()
		answer, err := engine.Define(ctx, def)
		if err == nil && answer.GetRefusal() != "" {
			err = kafka.Poison(fmt.Errorf("%s: %s", m.Type, answer.GetRefusal()))
		}
		return err
	})
}

// Publisher implements eventlog.Publisher.
type Publisher struct{ producer *kafka.Producer }

// NewPublisher returns a publisher that sends with producer.
func NewPublisher(producer *kafka.Producer) *Publisher { return &Publisher{producer} }

// Publish implements eventlog.Publisher.
func (p *Publisher) Publish(ctx context.Context, messages []booking.Message) error {
	if len(messages) == 0 {
		return nil
	}
	records := make([]kafka.Message, len(messages))
	for i, m := range messages {
		records[i] = kafka.Message{
			Topic: m.Topic, Key: m.Key.String(), ID: m.ID.String(), Type: m.Type, Source: source, Time: m.Time, Data: m.Data,
		}
		if m.Traceparent != "" {
			records[i].Header = map[string]string{"traceparent": m.Traceparent}
		}
	}
	return p.producer.Publish(ctx, records...)
}

// Availability implements eventlog.Publisher.
func (p *Publisher) Availability(ctx context.Context, a events.EventAvailability) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return p.producer.Publish(ctx, kafka.Message{
		Topic: events.TopicEventAvailability, Key: a.EventID.String(), Type: events.TypeEventAvailability, Source: source, Time: a.At, Data: data,
	})
}

// Audit publishes an entry of the audit log.
func (p *Publisher) Audit(ctx context.Context, e events.AuditEntry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return p.producer.Publish(ctx, kafka.Message{
		Topic: events.TopicAudit, Key: e.ActorID.String(), ID: e.ID.String(), Type: events.TypeAuditEntry, Source: source, Time: e.At, Data: data,
	})
}
