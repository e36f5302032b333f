// Package postgres keeps purchases in Postgres.
package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

// Store is a payment.Store.
type Store struct {
	Pool *pgxpool.Pool
	// Owed is called after a commit that left refunds to be made.
	Owed func()
}

// byBooking and byPayment select the booking whose purchase is loaded.
const (
	byBooking = `$1`
	byPayment = `(SELECT booking_id FROM payments WHERE id = $1)`
)

const paymentColumns = `id, booking_id, user_id, attempt, method, amount, currency, status, failure_code, charge_id,
	created_at, captured_at, failed_at, refunded_at, traceparent`

// load locks a booking and reads its purchase in one round trip. The second
// statement sees what the last holder of the lock committed.
func load(ctx context.Context, tx pgx.Tx, by string, id uuid.UUID) (*payment.Purchase, error) {
	p := &payment.Purchase{}
	b := &pgx.Batch{}
	b.Queue(`SELECT booking_id, event_id, user_id, amount, currency, expires_at, cancel_reason
		FROM bookings WHERE booking_id = `+by+` FOR UPDATE`, id).QueryRow(func(row pgx.Row) error {
		return row.Scan(&p.Booking.ID, &p.Booking.EventID, &p.Booking.UserID,
			&p.Booking.Total.Amount, &p.Booking.Total.Currency, &p.Booking.ExpiresAt, &p.Booking.CancelReason)
	})
	b.Queue(`SELECT `+paymentColumns+` FROM payments WHERE booking_id = `+by+` ORDER BY attempt`, id).Query(func(rows pgx.Rows) error {
		var err error
		p.Payments, err = pgx.CollectRows(rows, scanPayment)
		return err
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		if postgres.IsNoRows(err) {
			return nil, payment.ErrNotFound
		}
		return nil, fmt.Errorf("load purchase: %w", err)
	}
	return p, nil
}

func scanPayment(row pgx.CollectableRow) (*payment.Payment, error) {
	p := &payment.Payment{}
	var captured, failed, refunded *time.Time
	err := row.Scan(&p.ID, &p.BookingID, &p.UserID, &p.Attempt, &p.Method, &p.Amount.Amount, &p.Amount.Currency,
		&p.Status, &p.FailureCode, &p.ChargeID, &p.CreatedAt, &captured, &failed, &refunded, &p.Traceparent)
	for t, v := range map[*time.Time]*time.Time{&p.CapturedAt: captured, &p.FailedAt: failed, &p.RefundedAt: refunded} {
		if v != nil {
			*t = v.UTC()
		}
	}
	p.CreatedAt = p.CreatedAt.UTC()
	return p, err
}

// save writes what was decided, in one round trip apart from the messages.
func save(ctx context.Context, tx pgx.Tx, p *payment.Purchase) error {
	b := &pgx.Batch{}
	for _, pay := range p.Changed {
		// A new payment is leased to the one that saves it, who charges it at once.
		b.Queue(`INSERT INTO payments AS p (`+paymentColumns+`, next_attempt_at, tries)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, clock_timestamp() + $16::interval, 1)
			ON CONFLICT (id) DO UPDATE SET status = excluded.status, failure_code = excluded.failure_code,
				charge_id = excluded.charge_id, captured_at = excluded.captured_at, failed_at = excluded.failed_at,
				refunded_at = excluded.refunded_at`,
			pay.ID, pay.BookingID, pay.UserID, pay.Attempt, pay.Method, pay.Amount.Amount, pay.Amount.Currency,
			pay.Status, pay.FailureCode, pay.ChargeID, pay.CreatedAt, null(pay.CapturedAt), null(pay.FailedAt), null(pay.RefundedAt), traceparent(ctx), payment.Lease)
		if pay.Status == payment.Refunded {
			b.Queue(`UPDATE refunds SET done_at = $2 WHERE payment_id = $1 AND done_at IS NULL`, pay.ID, pay.RefundedAt)
		}
	}
	for _, r := range p.Refunds {
		b.Queue(`INSERT INTO refunds (id, payment_id, booking_id, charge_id, amount, currency) VALUES ($1, $2, $3, $4, $5, $6)`,
			r.ID, r.PaymentID, r.BookingID, r.ChargeID, r.Amount.Amount, r.Amount.Currency)
	}
	if b.Len() > 0 {
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return fmt.Errorf("save purchase: %w", err)
		}
	}
	for _, e := range p.Events {
		data, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode %T: %w", e, err)
		}
		err = postgres.Enqueue(traceOf(ctx, p, e), tx, postgres.Message{
			Topic: events.TopicPaymentProcessed, Key: p.Booking.ID.String(), Type: eventType(e), Data: data,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const traceparentHeader = "traceparent"

// traceparent names the trace of ctx; empty when there is none.
func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, carrier)
	return carrier[traceparentHeader]
}

// traceOf is ctx in the trace of the request that began the payment an event is
// about, which a worker or a webhook has brought to its end.
func traceOf(ctx context.Context, p *payment.Purchase, event any) context.Context {
	var id uuid.UUID
	switch e := event.(type) {
	case events.PaymentConfirmed:
		id = e.PaymentID
	case events.PaymentFailed:
		id = e.PaymentID
	case events.PaymentRefunded:
		id = e.PaymentID
	}
	if pay := p.Payment(id); pay != nil && pay.Traceparent != "" {
		return otel.GetTextMapPropagator().Extract(ctx, propagation.MapCarrier{traceparentHeader: pay.Traceparent})
	}
	return ctx
}

func null(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func eventType(e any) string {
	switch e.(type) {
	case events.PaymentConfirmed:
		return events.TypePaymentConfirmed
	case events.PaymentFailed:
		return events.TypePaymentFailed
	case events.PaymentRefunded:
		return events.TypePaymentRefunded
	default:
		panic(fmt.Sprintf("no CloudEvents type for %T", e))
	}
}

// update changes a purchase in a transaction of the caller's.
func update(ctx context.Context, tx pgx.Tx, by string, id uuid.UUID, fn func(*payment.Purchase) error) (owed bool, err error) {
	p, err := load(ctx, tx, by, id)
	if err != nil {
		return false, err
	}
	if err := fn(p); err != nil {
		return false, err
	}
	return len(p.Refunds) > 0, save(ctx, tx, p)
}

// inTx runs fn in a transaction and tells of refunds that are owed after it.
func (s *Store) inTx(ctx context.Context, fn func(tx pgx.Tx) (owed bool, err error)) error {
	owed := false
	err := postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		var err error
		owed, err = fn(tx)
		return err
	})
	if err == nil && owed {
		s.Owed()
	}
	return err
}

// Update implements payment.Store.
func (s *Store) Update(ctx context.Context, paymentID uuid.UUID, fn func(*payment.Purchase) error) error {
	return s.inTx(ctx, func(tx pgx.Tx) (bool, error) { return update(ctx, tx, byPayment, paymentID, fn) })
}

// Pay changes a booking's purchase for a request that has one effect however
// often it is sent, and stores the answer fn gives. Error: payment.ErrNotFound
// for a booking not heard of, and those of postgres.Once and fn.
func (s *Store) Pay(ctx context.Context, key postgres.Key, bookingID uuid.UUID,
	fn func(*payment.Purchase) (status int, body []byte, err error),
) (status int, body []byte, replayed bool, err error) {
	return postgres.Once(ctx, s.Pool, key, func(tx pgx.Tx) (status int, body []byte, err error) {
		_, err = update(ctx, tx, byBooking, bookingID, func(p *payment.Purchase) error {
			status, body, err = fn(p)
			return err
		})
		return status, body, err
	})
}

// Payment returns a payment. Error: payment.ErrNotFound.
func (s *Store) Payment(ctx context.Context, id uuid.UUID) (*payment.Payment, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+paymentColumns+` FROM payments WHERE id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("read payment: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPayment)
	if postgres.IsNoRows(err) {
		return nil, payment.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read payment: %w", err)
	}
	return p, nil
}
