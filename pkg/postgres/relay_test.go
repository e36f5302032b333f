package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// broker is a fake Kafka that can be down.
type broker struct {
	mu       sync.Mutex
	down     bool
	received []string // key=data
	ids      map[string]bool
	tries    int
}

func (b *broker) publish(_ context.Context, messages []postgres.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.down {
		return errors.New("broker down")
	}
	if b.ids == nil {
		b.ids = map[string]bool{}
	}
	for _, m := range messages {
		b.received = append(b.received, m.Key+"="+string(m.Data))
		b.ids[m.ID] = true
	}
	return nil
}

func (b *broker) has() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.received)
}

func startRelay(t *testing.T, pool *pgxpool.Pool, b *broker) {
	t.Helper()
	relay := postgres.NewRelay(pool, b.publish)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = relay.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
}

func enqueue(t *testing.T, tx pgx.Tx, key, data string) {
	t.Helper()
	err := postgres.Enqueue(t.Context(), tx, postgres.Message{Topic: "things", Key: key, Type: "thing.v1", Data: []byte(data)})
	if err != nil {
		t.Error(err)
	}
}

func commit(t *testing.T, pool *pgxpool.Pool, key string, data ...string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		for _, d := range data {
			enqueue(t, tx, key, d)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func begin(t *testing.T, pool *pgxpool.Pool) pgx.Tx {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestRelayNeverSkipsRowOfOpenTransaction(t *testing.T) {
	pool := pgtest.Pool(t, things, postgres.Outbox)
	b := &broker{}
	startRelay(t, pool, b)

	open := begin(t, pool)
	enqueue(t, open, "a", "1")
	// Later in the table, earlier in time.
	commit(t, pool, "b", "2")
	lost := begin(t, pool)
	enqueue(t, lost, "c", "3")
	if err := lost.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the committed row is published", func() bool { return len(b.has()) == 1 })
	if err := open.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "both rows are published", func() bool { return len(b.has()) == 2 })
	if got, want := b.has(), []string{"b=2", "a=1"}; !slices.Equal(got, want) {
		t.Errorf("published %v, want %v", got, want)
	}
}

func TestRelaysKeepOrderOfKeyAndLoseNothing(t *testing.T) {
	pool := pgtest.Pool(t, things, postgres.Outbox)
	b := &broker{}
	for range 3 {
		startRelay(t, pool, b)
	}
	const writers, rounds, perKey = 8, 25, 3
	if _, err := pool.Exec(t.Context(), `INSERT INTO things (name) SELECT 'k' || i FROM generate_series(0, 3) i`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for r := range rounds {
				key := fmt.Sprint("k", (w+r)%4)
				err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					var n int
					err := tx.QueryRow(t.Context(), `UPDATE things SET n = n + 1 WHERE name = $1 RETURNING n`, key).Scan(&n)
					for i := range perKey {
						enqueue(t, tx, key, fmt.Sprintf("%04d.%d", n, i))
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	testkit.Eventually(t, "all rows are published", func() bool { return len(b.has()) == writers*rounds*perKey })
	last := map[string]string{}
	for _, m := range b.has() {
		if m <= last[m[:2]] {
			t.Fatalf("%s came after %s", m, last[m[:2]])
		}
		last[m[:2]] = m
	}
	if len(b.ids) != writers*rounds*perKey {
		t.Errorf("%d different ids, want %d", len(b.ids), writers*rounds*perKey)
	}
}

func TestRelayContinuesWhenBrokerReturns(t *testing.T) {
	pool := pgtest.Pool(t, things, postgres.Outbox)
	b := &broker{down: true}
	startRelay(t, pool, b)
	commit(t, pool, "a", "1", "2")
	lag := func() float64 {
		families, err := prometheus.DefaultGatherer.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "outbox_lag_seconds" {
				return f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		t.Fatal("there is no outbox_lag_seconds")
		return 0
	}
	testkit.Eventually(t, "the lag shows", func() bool { return lag() > 0 })
	testkit.Eventually(t, "it was tried again", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.tries > 1 })
	b.mu.Lock()
	b.down = false
	b.mu.Unlock()
	testkit.Eventually(t, "both rows are published", func() bool { return slices.Equal(b.has(), []string{"a=1", "a=2"}) })
	testkit.Eventually(t, "the lag is gone", func() bool { return lag() == 0 })
}

func TestCommittedMessageWakesRelay(t *testing.T) {
	pool := pgtest.Pool(t, things, postgres.Outbox)
	signal, err := postgres.WakeSignal(t.Context(), pool)
	if err != nil || signal == nil {
		t.Fatalf("no signal: %v", err)
	}
	tx := begin(t, pool)
	if _, err := pool.Exec(t.Context(), `INSERT INTO things (name) VALUES ('no message')`); err != nil {
		t.Fatal(err)
	}
	enqueue(t, tx, "a", "1")
	select {
	case <-signal:
		t.Error("woken before the commit")
	default:
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-signal:
	case <-time.After(time.Minute):
		t.Error("not woken by the commit")
	}
}
