// Package pgtest gives each test its own database on a real Postgres server.
package pgtest

import (
	"context"
	"io/fs"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// URL creates an empty database on FRONTROW_TEST_POSTGRES, dropped when the
// test ends, and returns its URL.
func URL(t testing.TB) string {
	t.Helper()
	server, name := testkit.Postgres(t), testkit.Unique("test")
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("FRONTROW_TEST_POSTGRES: %v", err)
	}
	execute(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// Pool returns a pool on a new database with the given migrations and tables.
func Pool(t testing.TB, migrations fs.FS, tables ...postgres.Table) *pgxpool.Pool {
	t.Helper()
	u := URL(t)
	if err := postgres.Migrate(t.Context(), u, migrations, tables...); err != nil {
		t.Fatal(err)
	}
	pool, err := postgres.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func execute(t testing.TB, server, statement string) {
	t.Helper()
	// Not the test's context: it has ended by the time the database is dropped.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("FRONTROW_TEST_POSTGRES: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
