// Package postgres stores venues and events in Postgres.
package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

// Store is event-service's database. Its errors are problems: unavailable (503)
// while Postgres is down, not_found (404) for missing rows.
type Store struct{ pool *pgxpool.Pool }

// NewStore returns a store that uses pool.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Tx is a transaction.
type Tx struct{ tx pgx.Tx }

// Update runs fn in a transaction.
func (s *Store) Update(ctx context.Context, fn func(tx Tx) error) error {
	return postgres.OrUnavailable(postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(Tx{tx}) }))
}

// Once runs fn in a transaction once per key, as described at postgres.Once.
func (s *Store) Once(ctx context.Context, key postgres.Key, fn func(tx Tx) (status int, body []byte, err error)) (status int, body []byte, replayed bool, err error) {
	status, body, replayed, err = postgres.Once(ctx, s.pool, key, func(tx pgx.Tx) (int, []byte, error) { return fn(Tx{tx}) })
	return status, body, replayed, postgres.OrUnavailable(err)
}

// announce enqueues the event's current state for the other services.
func (t Tx) announce(ctx context.Context, e *event.Event) error {
	var blocks []events.Block
	if err := t.tx.QueryRow(ctx, `SELECT blocks FROM venues WHERE id = $1`, e.Venue.ID).Scan(&blocks); err != nil {
		return fmt.Errorf("read blocks: %w", err)
	}
	data, err := json.Marshal(e.Changed(blocks))
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return postgres.Enqueue(ctx, t.tx, postgres.Message{
		Topic: events.TopicEventChanged, Key: e.ID.String(), Type: events.TypeEventChanged, Data: data,
	})
}

// Audit enqueues an entry of the audit log.
func (t Tx) Audit(ctx context.Context, e events.AuditEntry) error {
	m, err := postgres.AuditMessage(e)
	if err != nil {
		return err
	}
	return postgres.Enqueue(ctx, t.tx, m)
}
