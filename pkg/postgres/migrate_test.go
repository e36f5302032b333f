package postgres_test

import (
	"sync"
	"testing"
	"testing/fstest"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
)

// things is a service's own migration.
var things = fstest.MapFS{"00010_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE things (name text PRIMARY KEY, n int NOT NULL DEFAULT 0);
-- +goose Down
DROP TABLE things;
`)}}

func TestManyMigratorsAtOnceMigrateOnce(t *testing.T) {
	url := pgtest.URL(t)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if err := postgres.Migrate(t.Context(), url, things, postgres.Outbox); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// A table added in a later release comes after the service's own.
	if err := postgres.Migrate(t.Context(), url, things, postgres.Outbox, postgres.Idempotency); err != nil {
		t.Fatal(err)
	}
	pool, err := postgres.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for table, want := range map[string]bool{"things": true, "outbox": true, "idempotency_keys": true} {
		var got bool
		if err := pool.QueryRow(t.Context(), `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&got); err != nil || got != want {
			t.Errorf("table %s exists: %v (%v), want %v", table, got, err, want)
		}
	}
}

func TestMigrateNamesFailedMigration(t *testing.T) {
	broken := fstest.MapFS{"00010_broken.sql": {Data: []byte("-- +goose Up\nCREATE TABEL x ();\n")}}
	if err := postgres.Migrate(t.Context(), pgtest.URL(t), broken); err == nil {
		t.Fatal("a broken migration passed")
	}
}
