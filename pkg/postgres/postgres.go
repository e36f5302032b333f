// Package postgres is how a service keeps its state in Postgres: the pool,
// migrations, idempotency keys, and the outbox that joins its
// transactions to Kafka.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

const (
	connectTimeout = 3 * time.Second
	// statementTimeout also bounds the wait of a concurrent twin in Once.
	statementTimeout = 5 * time.Second
	// idleInTransactionTimeout ends transactions whose client hangs: their locks
	// hold up others.
	idleInTransactionTimeout = 15 * time.Second
	maxConnections           = 20
	// startupPatience is how long Connect waits for a server that is starting.
	startupPatience = 15 * time.Second
)

// Connect returns a pool of at most 20 connections (pool_max_conns in the url
// overrides), every statement bounded to 5 seconds. It waits up to 15 seconds
// for the server to answer.
func Connect(ctx context.Context, url string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = maxConnections
	}
	cfg.MaxConnLifetime = 30 * time.Minute
	cfg.MaxConnLifetimeJitter = 5 * time.Minute
	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.HealthCheckPeriod = 15 * time.Second
	cfg.ConnConfig.ConnectTimeout = connectTimeout
	cfg.ConnConfig.Tracer = otelpgx.NewTracer()
	params := cfg.ConnConfig.RuntimeParams
	params["timezone"] = "UTC"
	params["statement_timeout"] = milliseconds(statementTimeout)
	params["idle_in_transaction_session_timeout"] = milliseconds(idleInTransactionTimeout)
	wakeRelayAfterEnqueue(cfg)

	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := waitUntilUp(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return pool, nil
}

func waitUntilUp(ctx context.Context, pool *pgxpool.Pool) error {
	patience := time.NewTimer(startupPatience)
	defer patience.Stop()
	for {
		err := pool.Ping(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-patience.C:
			return err
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// IsUnavailable tells whether err means that Postgres could not do its work
// now: it is down, starting, out of connections, or too slow. Such an error is
// worth another try later; of a single statement that writes it does not tell
// whether it was done. A problem has its answer already.
func IsUnavailable(err error) bool {
	var p *problem.Error
	if err == nil || errors.As(err, &p) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case strings.HasPrefix(pg.Code, "08"), // connection exception
			strings.HasPrefix(pg.Code, "53"), // insufficient resources
			strings.HasPrefix(pg.Code, "57"), // operator intervention, statement timeout
			pg.Code == "25P03",               // idle in transaction timeout
			pg.Code == "40001", pg.Code == "40P01":
			return true
		}
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) || isBrokenConnection(err)
}

// InTx runs fn in a transaction and commits it. When the connection breaks at
// the commit the error is the problem outcome_unknown (503); after any other
// error nothing was done.
func InTx(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if err := fn(tx); err != nil {
		return err
	}
	err = tx.Commit(ctx)
	var answer *pgconn.PgError
	// A server that shuts down, or breaks the connection off, may have committed.
	refused := errors.As(err, &answer) && !strings.HasPrefix(answer.Code, "57") && !strings.HasPrefix(answer.Code, "08")
	if err == nil || refused || errors.Is(err, pgx.ErrTxCommitRollback) {
		return err
	}
	return problem.New(http.StatusServiceUnavailable, "outcome_unknown",
		"It is not known whether this was done. Ask again with the same Idempotency-Key.").After(time.Second).Because(err)
}

// isBrokenConnection recognises a connection that ended under a statement:
// pgx reports it as the bare I/O error or "conn closed".
func isBrokenConnection(err error) bool {
	s := err.Error()
	return strings.Contains(s, "unexpected EOF") || strings.Contains(s, "conn closed") || strings.Contains(s, "closed pool")
}

// OrUnavailable returns err as the answer "unavailable" (503) when Postgres
// could not do its work now, and as it is otherwise.
func OrUnavailable(err error) error {
	if !IsUnavailable(err) {
		return err
	}
	return problem.Unavailable(err)
}

// IsUniqueViolation tells whether err says that a row with this constraint's
// columns exists already.
func IsUniqueViolation(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == constraint
}

// IsNoRows tells whether a query that must return a row found none.
func IsNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }
