// Package postgres stores mails, and what is known of bookings and events, in
// Postgres.
package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/notification"
)

// Store keeps mails. Storing what a message causes again has no effect.
type Store struct {
	Pool *pgxpool.Pool
	// OnDue is called after mails have become due.
	OnDue func()
}

// inTx runs fn in a transaction, then reports the mails it added as due.
func (s *Store) inTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	if err := postgres.InTx(ctx, s.Pool, fn); err != nil {
		return err
	}
	s.OnDue()
	return nil
}

// Add stores mails. Those whose reason is known are left unchanged.
func (s *Store) Add(ctx context.Context, mails []notification.Mail) error {
	return s.inTx(ctx, func(tx pgx.Tx) error { return add(ctx, tx, mails) })
}

func add(ctx context.Context, tx pgx.Tx, mails []notification.Mail) error {
	n := len(mails)
	reasons, kinds, contents, traces := make([]string, n), make([]string, n), make([]string, n), make([]*string, n)
	for i, m := range mails {
		content, err := json.Marshal(m.Content)
		if err != nil {
			return fmt.Errorf("encode mail: %w", err)
		}
		reasons[i], kinds[i], contents[i] = m.Reason, string(m.Kind), string(content)
		if traces[i], err = encodeTrace(m.Trace); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO mails (reason, kind, content, trace)
		SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[]) ON CONFLICT (reason) DO NOTHING`,
		reasons, kinds, contents, traces)
	if err != nil {
		return fmt.Errorf("store mails: %w", err)
	}
	return nil
}

func encodeTrace(trace map[string]string) (*string, error) {
	if len(trace) == 0 {
		return nil, nil //nolint:nilnil // no trace is stored as null
	}
	b, err := json.Marshal(trace)
	if err != nil {
		return nil, fmt.Errorf("encode trace: %w", err)
	}
	text := string(b)
	return &text, nil
}

// byID sorts messages into the order in which rows are locked, and keeps the
// first of each id.
func byID[T any](in []notification.Traced[T], id func(T) uuid.UUID) []notification.Traced[T] {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b notification.Traced[T]) int {
		x, y := id(a.Data), id(b.Data)
		return bytes.Compare(x[:], y[:])
	})
	return slices.CompactFunc(out, func(a, b notification.Traced[T]) bool { return id(a.Data) == id(b.Data) })
}
