// Package kafka stores the mails that other services' messages cause.
package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/notification"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/postgres"
)

// Topics are the topics that notification-service creates: the dead-letter
// topics of all that it reads.
var Topics = []string{
	kafka.DLQ(events.TopicBookingConfirmed), kafka.DLQ(events.TopicBookingCancelled),
	kafka.DLQ(events.TopicPaymentProcessed), kafka.DLQ(events.TopicEventChanged), kafka.DLQ(events.TopicAccountMail),
}

// Handlers returns the handlers. They need no inbox: handling a message again
// has no effect.
func Handlers(store *postgres.Store) map[string]kafka.Handler {
	return map[string]kafka.Handler{
		events.TopicBookingConfirmed: batch(confirmed, store.Confirm),
		events.TopicBookingCancelled: batch(cancelled, store.Cancel),
		events.TopicPaymentProcessed: batch(payment, store.Add),
		events.TopicEventChanged:     batch(changed, store.ChangeEvents),
		events.TopicAccountMail:      batch(account, store.Add),
	}
}

// batch parses messages and passes the results to store in one transaction.
// parse returns nothing for a message that causes no mail.
func batch[T any](parse func(kafka.Message) ([]T, error), store func(context.Context, []T) error) kafka.Handler {
	return func(ctx context.Context, in []kafka.Message) error {
		errs := make([]error, len(in))
		var good []T
		bad := false
		for i, m := range in {
			v, err := parse(m)
			if err != nil {
				errs[i], bad = kafka.Poison(err), true
			}
			good = append(good, v...)
		}
		if len(good) > 0 {
			if err := store(ctx, good); err != nil {
				var refused *pgconn.PgError
				if errors.As(err, &refused) && strings.HasPrefix(refused.Code, "22") { // a value that Postgres cannot store
					return kafka.Poison(err)
				}
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

func confirmed(m kafka.Message) ([]notification.Traced[events.BookingConfirmed], error) {
	b, err := decode[events.BookingConfirmed](m, events.TypeBookingConfirmed)
	if err == nil && (b.BookingID == uuid.Nil || b.EventID == uuid.Nil || b.UserID == uuid.Nil) {
		err = errors.New("missing booking_id, event_id or user_id")
	}
	if err != nil {
		return nil, err
	}
	return []notification.Traced[events.BookingConfirmed]{{Data: b, Trace: m.Header}}, nil
}

// cancelled returns nothing for bookings that ended before they were paid.
func cancelled(m kafka.Message) ([]notification.Traced[events.BookingCancelled], error) {
	b, err := decode[events.BookingCancelled](m, events.TypeBookingCancelled)
	if err == nil && (b.BookingID == uuid.Nil || b.EventID == uuid.Nil || b.UserID == uuid.Nil || b.Reason == "") {
		err = errors.New("missing booking_id, event_id, user_id or reason")
	}
	if err != nil || b.Reason != events.EventCancelled && b.Reason != events.CancelledByBuyer {
		return nil, err
	}
	return []notification.Traced[events.BookingCancelled]{{Data: b, Trace: m.Header}}, nil
}

// payment returns nothing for captures: the confirmation causes the mail.
func payment(m kafka.Message) ([]notification.Mail, error) {
	var out notification.Mail
	var paymentID uuid.UUID
	switch m.Type {
	case events.TypePaymentConfirmed:
		return nil, nil
	case events.TypePaymentRefunded:
		p, err := decode[events.PaymentRefunded](m, m.Type)
		if err != nil {
			return nil, err
		}
		paymentID, out = p.PaymentID, notification.OfRefund(p)
	default:
		p, err := decode[events.PaymentFailed](m, events.TypePaymentFailed)
		if err != nil {
			return nil, err
		}
		paymentID, out = p.PaymentID, notification.OfFailure(p)
	}
	if paymentID == uuid.Nil || out.Content.BookingID == uuid.Nil {
		return nil, errors.New("missing payment_id or booking_id")
	}
	out.Trace = m.Header
	return []notification.Mail{out}, nil
}

func changed(m kafka.Message) ([]notification.Traced[events.EventChanged], error) {
	e, err := decode[events.EventChanged](m, events.TypeEventChanged)
	if err == nil && (e.EventID == uuid.Nil || e.Version == 0) {
		err = errors.New("missing event_id or version")
	}
	if err != nil {
		return nil, err
	}
	return []notification.Traced[events.EventChanged]{{Data: e, Trace: m.Header}}, nil
}

func account(m kafka.Message) ([]notification.Mail, error) {
	a, err := decode[events.AccountMail](m, events.TypeAccountMail)
	switch {
	case err != nil:
		return nil, err
	case a.ID == uuid.Nil || a.Account.Email == "":
		return nil, errors.New("missing id or account")
	case !slices.Contains(notification.AccountKinds, mail.Kind(a.Kind)):
		return nil, fmt.Errorf("unknown kind %q", a.Kind)
	}
	out := notification.OfAccountMail(a)
	out.Trace = m.Header
	return []notification.Mail{out}, nil
}
