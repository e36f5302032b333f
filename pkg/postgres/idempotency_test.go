package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
)

func addThing(t *testing.T, pool *pgxpool.Pool, key postgres.Key) (string, bool, error) {
	t.Helper()
	status, body, replayed, err := postgres.Once(t.Context(), pool, key, func(tx pgx.Tx) (int, []byte, error) {
		var n int
		err := tx.QueryRow(t.Context(), `INSERT INTO things (name, n) VALUES ('it', 1)
			ON CONFLICT (name) DO UPDATE SET n = things.n + 1 RETURNING n`).Scan(&n)
		return 201, fmt.Appendf(nil, "n=%d", n), err
	})
	return fmt.Sprint(status, " ", string(body)), replayed, err
}

func TestConcurrentDuplicatesOfOneKeyHaveOneEffect(t *testing.T) {
	pool := pgtest.Pool(t, things, postgres.Idempotency)
	key := postgres.Key{Scope: "POST /things", Owner: "ann", Key: "k", RequestHash: []byte("h")}
	var wg sync.WaitGroup
	var firsts atomic.Int32
	for range 20 {
		wg.Go(func() {
			answer, replayed, err := addThing(t, pool, key)
			if err != nil || answer != "201 n=1" {
				t.Errorf("got %q, %v; want the first's answer", answer, err)
			}
			if !replayed {
				firsts.Add(1)
			}
		})
	}
	wg.Wait()
	if firsts.Load() != 1 {
		t.Errorf("%d requests had an effect, want 1", firsts.Load())
	}
}

func TestKeysOfDifferentOwnersAreIndependent(t *testing.T) {
	pool := pgtest.Pool(t, things, postgres.Idempotency)
	base := postgres.Key{Scope: "POST /things", Owner: "ann", Key: "k", RequestHash: []byte("h")}
	if _, _, err := addThing(t, pool, base); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change   func(*postgres.Key)
		replayed bool
		err      error
	}{
		"the same request again":          {func(*postgres.Key) {}, true, nil},
		"another request with the key":    {func(k *postgres.Key) { k.RequestHash = []byte("other") }, false, postgres.ErrKeyReused},
		"another caller with the key":     {func(k *postgres.Key) { k.Owner = "bob" }, false, nil},
		"the key on another route":        {func(k *postgres.Key) { k.Scope = "POST /stuff" }, false, nil},
		"no key":                          {func(k *postgres.Key) { k.Key = "" }, false, nil},
		"no key, sent once more the same": {func(k *postgres.Key) { k.Key = "" }, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			key := base
			tc.change(&key)
			_, replayed, err := addThing(t, pool, key)
			if replayed != tc.replayed || !errors.Is(err, tc.err) {
				t.Errorf("replayed %v, error %v; want %v, %v", replayed, err, tc.replayed, tc.err)
			}
		})
	}
}

func TestFailureStoresNothing(t *testing.T) {
	pool := pgtest.Pool(t, things, postgres.Idempotency)
	key := postgres.Key{Scope: "s", Owner: "o", Key: "k", RequestHash: []byte("h")}
	failure := errors.New("no")
	_, _, _, err := postgres.Once(t.Context(), pool, key, func(tx pgx.Tx) (int, []byte, error) {
		if _, err := tx.Exec(t.Context(), `INSERT INTO things (name) VALUES ('lost')`); err != nil {
			return 0, nil, err
		}
		return 0, nil, failure
	})
	if !errors.Is(err, failure) {
		t.Fatalf("got %v", err)
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM things) + (SELECT count(*) FROM idempotency_keys)`).Scan(&n); err != nil || n != 0 {
		t.Fatalf("%d rows left behind (%v)", n, err)
	}
	if _, replayed, err := addThing(t, pool, key); err != nil || replayed {
		t.Errorf("the next try: replayed %v, %v", replayed, err)
	}
}

func TestKeyExpiresAfterADay(t *testing.T) {
	pool := pgtest.Pool(t, things, postgres.Idempotency)
	key := postgres.Key{Scope: "s", Owner: "o", Key: "k", RequestHash: []byte("h")}
	age := func() {
		t.Helper()
		if _, err := pool.Exec(t.Context(), `UPDATE idempotency_keys SET created_at = now() - interval '25 hours'`); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if answer, replayed, err := addThing(t, pool, key); err != nil || replayed {
			t.Fatalf("got %q, replayed %v, %v; want a new effect", answer, replayed, err)
		}
		age()
	}
	if err := postgres.Purge(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM idempotency_keys`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d keys after the purge (%v)", n, err)
	}
}
