package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// byID sorts bookings into the order in which rows are locked.
func byID[T any](in []T, id func(T) uuid.UUID) []T {
	slices.SortStableFunc(in, func(a, b T) int {
		x, y := id(a), id(b)
		return bytes.Compare(x[:], y[:])
	})
	return slices.CompactFunc(in, func(a, b T) bool { return id(a) == id(b) })
}

// BookingsCreated stores new bookings. A known booking is left unchanged, and
// one whose cancellation arrived first stays cancelled.
func (s *Store) BookingsCreated(ctx context.Context, in []events.BookingCreated) error {
	in = byID(slices.Clone(in), func(b events.BookingCreated) uuid.UUID { return b.BookingID })
	n := len(in)
	ids, eventIDs, users := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	amounts, currencies, expiries := make([]int64, n), make([]string, n), make([]time.Time, n)
	for i, b := range in {
		ids[i], eventIDs[i], users[i] = b.BookingID, b.EventID, b.UserID
		amounts[i], currencies[i], expiries[i] = b.Total.Amount, b.Total.Currency, b.ExpiresAt
	}
	_, err := s.Pool.Exec(ctx, `
		INSERT INTO bookings AS b (booking_id, event_id, user_id, amount, currency, expires_at, state)
		SELECT *, 'open' FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::timestamptz[])
		ON CONFLICT (booking_id) DO UPDATE SET user_id = excluded.user_id, amount = excluded.amount,
			currency = excluded.currency, expires_at = excluded.expires_at
			WHERE b.currency = ''`,
		ids, eventIDs, users, amounts, currencies, expiries)
	if err != nil {
		return fmt.Errorf("store bookings: %w", err)
	}
	return nil
}

// BookingsCancelled ends bookings and creates refunds for what was captured.
// The first reason stays. Repeated calls have no effect.
func (s *Store) BookingsCancelled(ctx context.Context, in []events.BookingCancelled) error {
	in = byID(slices.Clone(in), func(b events.BookingCancelled) uuid.UUID { return b.BookingID })
	n := len(in)
	ids, eventIDs, users := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	reasons, times := make([]string, n), make([]time.Time, n)
	for i, b := range in {
		ids[i], eventIDs[i], users[i] = b.BookingID, b.EventID, b.UserID
		reasons[i], times[i] = string(b.Reason), b.CancelledAt
	}
	return s.inTx(ctx, func(ctx context.Context, tx pgx.Tx) (bool, error) {
		var paid []uuid.UUID
		b := &pgx.Batch{}
		b.Queue(`
			INSERT INTO bookings AS b (booking_id, event_id, user_id, amount, currency, expires_at, state, cancel_reason)
			SELECT u.id, u.event, u.usr, 0, '', u.at, 'cancelled', u.reason
			FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[]) AS u(id, event, usr, at, reason)
			ON CONFLICT (booking_id) DO UPDATE SET state = 'cancelled',
				cancel_reason = CASE b.cancel_reason WHEN '' THEN excluded.cancel_reason ELSE b.cancel_reason END`,
			ids, eventIDs, users, times, reasons)
		// We now hold the locks: this sees every capture recorded before.
		b.Queue(`SELECT booking_id FROM payments WHERE booking_id = ANY($1) AND status = 'succeeded'`, ids).
			Query(func(rows pgx.Rows) (err error) {
				paid, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
				return err
			})
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return false, fmt.Errorf("cancel bookings: %w", err)
		}
		if len(paid) == 0 {
			return false, nil
		}
		loaded, err := load(ctx, tx, paid, nil, nil)
		if err != nil {
			return false, err
		}
		for _, p := range loaded.byBooking {
			p.RefundIfCancelled()
		}
		return save(ctx, tx, loaded)
	})
}
