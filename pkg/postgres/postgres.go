// Package postgres manages a service's state in Postgres: the pool, migrations,
// idempotency keys, and the transactional outbox to Kafka.
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
	// statementTimeout also limits how long a concurrent duplicate waits in
	// Once.
	statementTimeout = 5 * time.Second
	// idleInTransactionTimeout ends the transactions of hung clients, whose
	// locks block others.
	idleInTransactionTimeout = 15 * time.Second
	maxConnections           = 20
	// startupTimeout is how long Connect waits for a server that is starting.
	startupTimeout = 15 * time.Second
)

// Connect returns a pool of at most 20 connections (pool_max_conns in url
// overrides this). Every statement times out after 5 seconds. Connect waits up
// to 15 seconds for the server to answer.
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
	timer := time.NewTimer(startupTimeout)
	defer timer.Stop()
	for {
		err := pool.Ping(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-timer.C:
			return err
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// IsUnavailable reports whether err means that Postgres could not do its work
// now: it is down, starting, out of connections, or too slow. Such an error is
// worth a retry later; for a single statement that writes, it does not say
// whether the write happened. A *problem.Error is never unavailable: it already
// has its response.
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

// InTx runs fn in a transaction and commits it. If the connection breaks during
// the commit, the error is the problem outcome_unknown (503). After any other
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
	// A server that shuts down or drops the connection may have committed.
	refused := errors.As(err, &answer) && !strings.HasPrefix(answer.Code, "57") && !strings.HasPrefix(answer.Code, "08")
	if err == nil || refused || errors.Is(err, pgx.ErrTxCommitRollback) {
		return err
	}
	return problem.New(http.StatusServiceUnavailable, problem.CodeOutcomeUnknown,
		"The outcome of this request is unknown. Send it again, with the same Idempotency-Key if it has one.").After(time.Second).Because(err)
}

// isBrokenConnection detects a connection that ended during a statement: pgx
// reports it as the bare I/O error or "conn closed".
func isBrokenConnection(err error) bool {
	s := err.Error()
	return strings.Contains(s, "unexpected EOF") || strings.Contains(s, "conn closed") || strings.Contains(s, "closed pool")
}

// OrUnavailable returns err as the problem "unavailable" (503) when
// IsUnavailable holds, and unchanged otherwise.
func OrUnavailable(err error) error {
	if !IsUnavailable(err) {
		return err
	}
	return problem.Unavailable(err)
}

// IsUniqueViolation reports whether err says that a row with the columns of
// this constraint already exists.
func IsUniqueViolation(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == constraint
}

// IsNoRows reports whether a query that must return a row found none.
func IsNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }
