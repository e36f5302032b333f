// Package postgres stores purchases in Postgres.
package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/audit"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

// Store implements payment.Store.
type Store struct {
	Pool *pgxpool.Pool
	// OnRefundDue is called after a commit that created refunds.
	OnRefundDue func()

	groups groups
}

// Request identifies a request that starts at most one payment, however often
// it is sent.
type Request struct {
	User uuid.UUID
	// Key is the Idempotency-Key; empty if the client sent none.
	Key string
	// Hash detects different requests that reuse a key.
	Hash []byte
}

const paymentColumns = `id, booking_id, user_id, attempt, method, amount, currency, status, failure_code, charge_id,
	created_at, captured_at, failed_at, refunded_at, traceparent, idempotency_key, request_hash`

// purchases is what one transaction has locked and read.
type purchases struct {
	byBooking, byPayment map[uuid.UUID]*payment.Purchase
	// byRequest holds the payments started by requests.
	byRequest map[requestKey]*payment.Payment
	// stored is the number of stored payments of each booking.
	stored map[uuid.UUID]int
}

type requestKey struct {
	user uuid.UUID
	key  string
}

// load locks the bookings given by their ids or by those of payments, in the
// order of their ids. In the same round trip it reads their purchases and the
// payments started by requests. The reads see what the last holder of each lock
// committed.
func load(ctx context.Context, tx pgx.Tx, bookings, payments []uuid.UUID, requests []Request) (*purchases, error) {
	l := &purchases{
		byBooking: map[uuid.UUID]*payment.Purchase{}, byPayment: map[uuid.UUID]*payment.Purchase{},
		byRequest: map[requestKey]*payment.Payment{}, stored: map[uuid.UUID]int{},
	}
	b := &pgx.Batch{}
	const locked = `(SELECT unnest($1::uuid[]) UNION SELECT booking_id FROM payments WHERE id = ANY($2::uuid[]))`
	b.Queue(`SELECT booking_id, event_id, user_id, amount, currency, expires_at, cancel_reason
		FROM bookings WHERE booking_id IN `+locked+` ORDER BY booking_id FOR UPDATE`, bookings, payments).Query(func(rows pgx.Rows) error {
		var k payment.Booking
		_, err := pgx.ForEachRow(rows, []any{&k.ID, &k.EventID, &k.UserID, &k.Total.Amount, &k.Total.Currency, &k.ExpiresAt, &k.CancelReason}, func() error {
			l.byBooking[k.ID] = &payment.Purchase{Booking: k}
			return nil
		})
		return err
	})
	b.Queue(`SELECT `+paymentColumns+` FROM payments WHERE booking_id IN `+locked+` ORDER BY booking_id, attempt`, bookings, payments).
		Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, scanPayment)
			for _, pay := range found {
				if p := l.byBooking[pay.BookingID]; p != nil {
					p.Payments = append(p.Payments, pay)
					l.byPayment[pay.ID] = p
					l.stored[pay.BookingID]++
				}
			}
			return err
		})
	if len(requests) > 0 {
		users, keys := make([]uuid.UUID, len(requests)), make([]string, len(requests))
		for i, r := range requests {
			users[i], keys[i] = r.User, r.Key
		}
		b.Queue(`SELECT `+paymentColumns+` FROM payments JOIN unnest($1::uuid[], $2::text[]) AS asked (by, under)
			ON user_id = by AND idempotency_key = under WHERE idempotency_key <> ''`, users, keys).
			Query(func(rows pgx.Rows) error {
				found, err := pgx.CollectRows(rows, scanPayment)
				for _, pay := range found {
					l.byRequest[requestKey{pay.UserID, pay.IdempotencyKey}] = pay
				}
				return err
			})
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("load purchases: %w", err)
	}
	return l, nil
}

func scanPayment(row pgx.CollectableRow) (*payment.Payment, error) {
	p := &payment.Payment{}
	var captured, failed, refunded *time.Time
	err := row.Scan(&p.ID, &p.BookingID, &p.UserID, &p.Attempt, &p.Method, &p.Amount.Amount, &p.Amount.Currency,
		&p.Status, &p.FailureCode, &p.ChargeID, &p.CreatedAt, &captured, &failed, &refunded, &p.Traceparent, &p.IdempotencyKey, &p.RequestHash)
	for t, v := range map[*time.Time]*time.Time{&p.CapturedAt: captured, &p.FailedAt: failed, &p.RefundedAt: refunded} {
		if v != nil {
			*t = v.UTC()
		}
	}
	p.CreatedAt = p.CreatedAt.UTC()
	return p, err
}

// save writes the decisions, with one statement per table.
func save(ctx context.Context, tx pgx.Tx, l *purchases) (refundDue bool, err error) {
	var started, changed []*payment.Payment
	var refunds []payment.Refund
	var messages []postgres.Message
	for _, p := range l.byBooking {
		for i, pay := range p.Payments {
			switch {
			case i >= l.stored[p.Booking.ID]:
				started = append(started, pay)
			case p.Changed[pay.ID] != nil:
				changed = append(changed, pay)
			}
		}
		refunds = append(refunds, p.Refunds...)
		for _, e := range p.Events {
			data, err := json.Marshal(e)
			if err != nil {
				return false, fmt.Errorf("encode %T: %w", e, err)
			}
			messages = append(messages, postgres.Message{
				Topic: events.TopicPaymentProcessed, Key: p.Booking.ID.String(), Type: eventType(e), Data: data,
				Headers: postgres.TraceHeaders(traceOf(ctx, p, e)),
			})
			if refund, ok := e.(events.PaymentRefunded); ok {
				m, err := postgres.AuditMessage(auditRefund(p.Booking, refund))
				if err != nil {
					return false, err
				}
				messages = append(messages, m)
			}
		}
	}
	b := &pgx.Batch{}
	queueStarted(b, started)
	queueChanged(b, changed)
	for _, r := range refunds {
		b.Queue(`INSERT INTO refunds (id, payment_id, booking_id, charge_id, amount, currency) VALUES ($1, $2, $3, $4, $5, $6)`,
			r.ID, r.PaymentID, r.BookingID, r.ChargeID, r.Amount.Amount, r.Amount.Currency)
	}
	if b.Len() > 0 {
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return false, fmt.Errorf("save purchases: %w", err)
		}
	}
	return len(refunds) > 0, postgres.Enqueue(ctx, tx, messages...)
}

// auditRefund returns the audit log's entry of a refund. The buyer is the actor
// of a refund that they asked for.
func auditRefund(b payment.Booking, r events.PaymentRefunded) events.AuditEntry {
	e := audit.Entry(rest.AuditActionPaymentRefunded, r.PaymentID.String(), r.RefundedAt)
	if r.Reason == events.CancelledByBuyer {
		e.ActorID = b.UserID
	}
	e.Details = map[string]string{
		"booking": r.BookingID.String(), "reason": string(r.Reason), "amount": strconv.FormatInt(r.Amount.Amount, 10), "currency": r.Amount.Currency,
	}
	return e
}

// columns holds the values of payments, one slice per column.
type columns struct {
	ids, bookings, users          []uuid.UUID
	attempts                      []int
	methods, statuses, codes      []string
	amounts                       []int64
	currencies, charges           []string
	created                       []time.Time
	captured, failed, refunded    []*time.Time
	traceparents, idempotencyKeys []string
	requestHashes                 [][]byte
}

func columnsOf(in []*payment.Payment) (c columns) {
	for _, p := range in {
		c.ids, c.bookings, c.users = append(c.ids, p.ID), append(c.bookings, p.BookingID), append(c.users, p.UserID)
		c.attempts, c.methods = append(c.attempts, p.Attempt), append(c.methods, p.Method)
		c.amounts, c.currencies = append(c.amounts, p.Amount.Amount), append(c.currencies, p.Amount.Currency)
		c.statuses, c.codes, c.charges = append(c.statuses, string(p.Status)), append(c.codes, p.FailureCode), append(c.charges, p.ChargeID)
		c.created, c.captured = append(c.created, p.CreatedAt), append(c.captured, null(p.CapturedAt))
		c.failed, c.refunded = append(c.failed, null(p.FailedAt)), append(c.refunded, null(p.RefundedAt))
		c.traceparents, c.idempotencyKeys = append(c.traceparents, p.Traceparent), append(c.idempotencyKeys, p.IdempotencyKey)
		c.requestHashes = append(c.requestHashes, p.RequestHash)
	}
	return c
}

// queueStarted inserts new payments. Each is leased to its creator, which charges
// it at once.
func queueStarted(b *pgx.Batch, in []*payment.Payment) {
	if len(in) == 0 {
		return
	}
	c := columnsOf(in)
	b.Queue(`INSERT INTO payments (`+paymentColumns+`, next_attempt_at, tries)
		SELECT *, clock_timestamp() + $18::interval, 1 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::bigint[], $7::text[],
			$8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[], $17::bytea[])`,
		c.ids, c.bookings, c.users, c.attempts, c.methods, c.amounts, c.currencies, c.statuses, c.codes, c.charges,
		c.created, c.captured, c.failed, c.refunded, c.traceparents, c.idempotencyKeys, c.requestHashes, payment.Lease)
}

// queueChanged updates payments and their finished refunds.
func queueChanged(b *pgx.Batch, in []*payment.Payment) {
	if len(in) == 0 {
		return
	}
	c := columnsOf(in)
	b.Queue(`UPDATE payments p SET status = u.status, failure_code = u.code, charge_id = u.charge,
			captured_at = u.captured, failed_at = u.failed, refunded_at = u.refunded
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
			AS u (id, status, code, charge, captured, failed, refunded) WHERE p.id = u.id`,
		c.ids, c.statuses, c.codes, c.charges, c.captured, c.failed, c.refunded)
	if slices.ContainsFunc(c.refunded, func(at *time.Time) bool { return at != nil }) {
		b.Queue(`UPDATE refunds r SET done_at = u.at FROM unnest($1::uuid[], $2::timestamptz[]) AS u (payment, at)
			WHERE r.payment_id = u.payment AND r.done_at IS NULL AND u.at IS NOT NULL`, c.ids, c.refunded)
	}
}

const traceparentHeader = "traceparent"

// traceparent returns the traceparent of ctx, or "" if there is none.
func traceparent(ctx context.Context) string {
	return postgres.TraceHeaders(ctx)[traceparentHeader]
}

// traceOf returns ctx in the trace of the request that started the payment an
// event is about, even if a worker or a webhook finished the payment.
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

func null(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
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

// inTx runs fn in a transaction, then signals refunds that it created.
func (s *Store) inTx(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) (refundDue bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, groupTimeout)
	defer cancel()
	refundDue := false
	err := postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) (err error) {
		refundDue, err = fn(ctx, tx)
		return err
	})
	if err == nil && refundDue {
		s.OnRefundDue()
	}
	return err
}

// Update implements payment.Store.
func (s *Store) Update(ctx context.Context, paymentID uuid.UUID, fn func(*payment.Purchase) error) error {
	return s.do(&change{ctx: ctx, payment: paymentID, fn: func(p *payment.Purchase) (*payment.Payment, error) { return nil, fn(p) }})
}

// Pay starts a payment of a booking with fn, once per request however often it
// is sent. If created is not nil and the booking is unknown, created is stored
// first. fn may be called more than once and must have no side effects. Errors:
// payment.ErrNotFound for an unknown booking, postgres.ErrKeyReused, and fn's.
func (s *Store) Pay(ctx context.Context, request Request, bookingID uuid.UUID, created *events.BookingCreated,
	fn func(*payment.Purchase) (*payment.Payment, error),
) (started *payment.Payment, replayed bool, err error) {
	c := &change{ctx: ctx, booking: bookingID, created: created, request: request, fn: fn}
	err = s.do(c)
	return c.started, c.replayed, err
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
