package postgres

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// Key identifies one request that must take effect once, however often it is
// sent.
type Key struct {
	// Scope is the route, such as "POST /venues".
	Scope string
	// Owner is the caller's user id, or another value that separates callers.
	Owner string
	// Key is the Idempotency-Key header; empty when the client sent none.
	Key string
	// RequestHash detects different requests that reuse a key.
	RequestHash []byte
}

// ErrKeyReused is the problem for a key that was used with a different request.
var ErrKeyReused = problem.New(http.StatusUnprocessableEntity, problem.CodeIdempotencyKeyReused,
	"This Idempotency-Key was used for a different request. Use a new key.")

// Once runs fn in a transaction and stores its response under key in the same
// transaction. If the key is sent again, Once returns that response with
// replayed true and does not run fn. Concurrent duplicates wait on the key's
// index entry until the first commits, then read its response. When fn fails,
// nothing is stored and all its writes are rolled back, so the client may
// retry. Responses are kept for 24 hours (see Purge).
//
// fn must use only the given tx: the pool may have no second connection while
// duplicates wait. Without a key, fn simply runs in a transaction.
//
// Once needs the table Idempotency. It returns ErrKeyReused for a key seen with
// another hash, and fn's error unchanged.
func Once(ctx context.Context, pool *pgxpool.Pool, key Key, fn func(tx pgx.Tx) (status int, body []byte, err error)) (status int, body []byte, replayed bool, err error) {
	err = InTx(ctx, pool, func(tx pgx.Tx) error {
		if key.Key == "" {
			status, body, err = fn(tx)
			return err
		}
		first, err := claim(ctx, tx, key)
		if err != nil {
			return err
		}
		if !first {
			replayed = true
			status, body, err = answerOf(ctx, tx, key)
			return err
		}
		if status, body, err = fn(tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE idempotency_keys SET status = $4, body = $5 WHERE scope = $1 AND owner = $2 AND key = $3`,
			key.Scope, key.Owner, key.Key, status, body)
		if err != nil {
			return fmt.Errorf("store response of idempotency key: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, nil, false, err
	}
	return status, body, replayed, nil
}

// claim inserts the key, or takes over an expired one (24 hours). It blocks
// while another transaction holds the same key.
func claim(ctx context.Context, tx pgx.Tx, key Key) (bool, error) {
	tag, err := tx.Exec(ctx, `
		INSERT INTO idempotency_keys AS k (scope, owner, key, request_hash) VALUES ($1, $2, $3, $4)
		ON CONFLICT (scope, owner, key) DO UPDATE
			SET request_hash = excluded.request_hash, created_at = now()
			WHERE k.created_at < now() - interval '24 hours'`,
		key.Scope, key.Owner, key.Key, key.RequestHash)
	if err != nil {
		return false, fmt.Errorf("claim idempotency key: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

func answerOf(ctx context.Context, tx pgx.Tx, key Key) (status int, body []byte, err error) {
	var hash []byte
	err = tx.QueryRow(ctx, `SELECT request_hash, status, body FROM idempotency_keys WHERE scope = $1 AND owner = $2 AND key = $3`,
		key.Scope, key.Owner, key.Key).Scan(&hash, &status, &body)
	if err != nil {
		return 0, nil, fmt.Errorf("read response of idempotency key: %w", err)
	}
	if !bytes.Equal(hash, key.RequestHash) {
		return 0, nil, ErrKeyReused
	}
	return status, body, nil
}
