package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestIsUnavailableMeansRetryMayHelp(t *testing.T) {
	pool := pgtest.Pool(t, things)
	exec := func(q interface {
		QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	}, sql string,
	) error {
		var ignored any
		return q.QueryRow(t.Context(), sql).Scan(&ignored)
	}
	for name, tc := range map[string]struct {
		fail func(t *testing.T) error
		want bool
	}{
		"nobody listens": {func(t *testing.T) error {
			away, err := pgxpool.New(t.Context(), "postgres://x@"+testkit.FreeAddr(t)+"/x")
			if err != nil {
				t.Fatal(err)
			}
			defer away.Close()
			return away.Ping(t.Context())
		}, true},
		"the connection is ended by the server": {func(t *testing.T) error {
			tx := begin(t, pool)
			defer func() { _ = tx.Rollback(t.Context()) }()
			var ended bool
			if err := pool.QueryRow(t.Context(), `SELECT pg_terminate_backend($1)`, tx.Conn().PgConn().PID()).Scan(&ended); err != nil || !ended {
				t.Fatal(err, ended)
			}
			return exec(tx, `SELECT 1`)
		}, true},
		"the statement takes too long": {func(t *testing.T) error {
			tx := begin(t, pool)
			defer func() { _ = tx.Rollback(t.Context()) }()
			if _, err := tx.Exec(t.Context(), `SET LOCAL statement_timeout = '20ms'`); err != nil {
				t.Fatal(err)
			}
			return exec(tx, `SELECT pg_sleep(60)`)
		}, true},
		"no connection is free": {func(t *testing.T) error {
			for range pool.Config().MaxConns {
				tx := begin(t, pool)
				defer func() { _ = tx.Rollback(t.Context()) }()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			return pool.Ping(ctx)
		}, true},
		"the pool is closed": {func(t *testing.T) error {
			closed, err := postgres.Connect(t.Context(), testkit.Postgres(t))
			if err != nil {
				t.Fatal(err)
			}
			closed.Close()
			return closed.Ping(t.Context())
		}, true},
		"wrong SQL":     {func(*testing.T) error { return exec(pool, `SELECT nothing`) }, false},
		"no row":        {func(*testing.T) error { return exec(pool, `SELECT 1 WHERE false`) }, false},
		"no error":      {func(*testing.T) error { return nil }, false},
		"another error": {func(*testing.T) error { return errors.New("x") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.fail(t)
			if got := postgres.IsUnavailable(err); got != tc.want {
				t.Errorf("unavailable: %v, want %v (%v)", got, tc.want, err)
			}
			if err != nil && (problem.From(postgres.OrUnavailable(err)).Code == "unavailable") != tc.want {
				t.Errorf("the answer is %v", postgres.OrUnavailable(err))
			}
		})
	}
	if p := problem.NotFound("It"); !errors.Is(postgres.OrUnavailable(p), p) {
		t.Error("a problem was changed")
	}
}

func TestUniqueViolationIsKnownByItsConstraint(t *testing.T) {
	pool := pgtest.Pool(t, things)
	insert := func() error {
		_, err := pool.Exec(t.Context(), `INSERT INTO things (name) VALUES ('one')`)
		return err
	}
	if err := insert(); err != nil {
		t.Fatal(err)
	}
	err := insert()
	if !postgres.IsUniqueViolation(err, "things_pkey") || postgres.IsUniqueViolation(err, "other") || postgres.IsUnavailable(err) {
		t.Errorf("got %v", err)
	}
}

func TestConnectReportsInvalidURL(t *testing.T) {
	if _, err := postgres.Connect(t.Context(), "postgres://127.0.0.1:port/x"); err == nil || !strings.HasPrefix(err.Error(), "postgres: ") {
		t.Errorf("got %v", err)
	}
}
