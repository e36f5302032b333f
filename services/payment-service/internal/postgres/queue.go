package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

// PickCharges implements payment.Store.
func (s *Store) PickCharges(ctx context.Context, n int, lease time.Duration) ([]payment.Job, error) {
	rows, err := s.Pool.Query(ctx, `
		WITH due AS MATERIALIZED (
			SELECT id FROM payments WHERE status = 'processing' AND next_attempt_at <= clock_timestamp()
			ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
		UPDATE payments p SET next_attempt_at = clock_timestamp() + $2::interval, tries = p.tries + 1
		FROM due WHERE p.id = due.id
		RETURNING p.id, p.booking_id, p.user_id, p.method, p.amount, p.currency, p.created_at, p.tries`, n, lease)
	if err != nil {
		return nil, fmt.Errorf("pick charges: %w", err)
	}
	jobs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (payment.Job, error) {
		j := payment.Job{Payment: payment.Payment{Status: payment.Processing}}
		p := &j.Payment
		return j, row.Scan(&p.ID, &p.BookingID, &p.UserID, &p.Method, &p.Amount.Amount, &p.Amount.Currency, &p.CreatedAt, &j.Tries)
	})
	if err != nil {
		return nil, fmt.Errorf("pick charges: %w", err)
	}
	return jobs, nil
}

// PickRefunds implements payment.Store.
func (s *Store) PickRefunds(ctx context.Context, n int, lease time.Duration) ([]payment.RefundJob, error) {
	rows, err := s.Pool.Query(ctx, `
		WITH due AS MATERIALIZED (
			SELECT id FROM refunds WHERE done_at IS NULL AND next_attempt_at <= clock_timestamp()
			ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
		UPDATE refunds r SET tries = r.tries + 1,
			-- What fails again and again is tried more rarely, at least once a minute.
			next_attempt_at = clock_timestamp() + least($2::interval * (r.tries + 1), interval '1 minute')
		FROM due WHERE r.id = due.id
		RETURNING r.id, r.payment_id, r.booking_id, r.charge_id, r.amount, r.currency, r.tries`, n, lease)
	if err != nil {
		return nil, fmt.Errorf("pick refunds: %w", err)
	}
	jobs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (payment.RefundJob, error) {
		var j payment.RefundJob
		r := &j.Refund
		return j, row.Scan(&r.ID, &r.PaymentID, &r.BookingID, &r.ChargeID, &r.Amount.Amount, &r.Amount.Currency, &j.Tries)
	})
	if err != nil {
		return nil, fmt.Errorf("pick refunds: %w", err)
	}
	return jobs, nil
}

// Stuck implements payment.Store.
func (s *Store) Stuck(ctx context.Context, age time.Duration, n int) ([]payment.Payment, error) {
	return s.payments(ctx, `SELECT `+paymentColumns+` FROM payments
		WHERE status = 'processing' AND created_at < now() - $1::interval ORDER BY created_at LIMIT $2`, age, n)
}

// Unrefunded implements payment.Store.
func (s *Store) Unrefunded(ctx context.Context, n int) ([]payment.Payment, error) {
	return s.payments(ctx, `SELECT `+paymentColumns+` FROM payments p WHERE status = 'succeeded'
		AND EXISTS (SELECT FROM bookings b WHERE b.booking_id = p.booking_id AND b.state = 'cancelled') LIMIT $1`, n)
}

func (s *Store) payments(ctx context.Context, query string, args ...any) ([]payment.Payment, error) {
	rows, err := s.Pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read payments: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanPayment)
	if err != nil {
		return nil, fmt.Errorf("read payments: %w", err)
	}
	out := make([]payment.Payment, len(found))
	for i, p := range found {
		out[i] = *p
	}
	return out, nil
}

// OverdueRefunds implements payment.Store.
func (s *Store) OverdueRefunds(ctx context.Context, age time.Duration) (n int, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT count(*) FROM refunds WHERE done_at IS NULL AND created_at < now() - $1::interval`, age).Scan(&n)
	return n, err
}

// Uncaptured implements payment.Store.
func (s *Store) Uncaptured(ctx context.Context, ids []uuid.UUID) (uncaptured, unknown []uuid.UUID, err error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT asked.id, p.id IS NULL FROM unnest($1::uuid[]) AS asked(id) LEFT JOIN payments p ON p.id = asked.id
		WHERE p.id IS NULL OR p.status IN ('processing', 'failed')`, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("compare charges: %w", err)
	}
	var id uuid.UUID
	var isUnknown bool
	_, err = pgx.ForEachRow(rows, []any{&id, &isUnknown}, func() error {
		if isUnknown {
			unknown = append(unknown, id)
		} else {
			uncaptured = append(uncaptured, id)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("compare charges: %w", err)
	}
	return uncaptured, unknown, nil
}

// Ledger implements payment.Store.
func (s *Store) Ledger(ctx context.Context, before time.Time) (map[string]payment.Balance, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT currency, coalesce(sum(amount), 0)::bigint, coalesce(sum(amount) FILTER (WHERE refunded_at <= $1), 0)::bigint
		FROM payments WHERE captured_at <= $1 AND status IN ('succeeded', 'refunding', 'refunded') GROUP BY currency`, before)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return Balances(rows)
}

// Balances reads rows of currency, captured and refunded.
func Balances(rows pgx.Rows) (map[string]payment.Balance, error) {
	out := map[string]payment.Balance{}
	var currency string
	var b payment.Balance
	_, err := pgx.ForEachRow(rows, []any{&currency, &b.Captured, &b.Refunded}, func() error {
		b.Net = b.Captured - b.Refunded
		out[currency] = b
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return out, nil
}
