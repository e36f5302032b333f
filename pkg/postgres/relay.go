package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	relayBatch = 500
	// relayPoll finds rows that no signal announced: those of a process that
	// died, or that were committed while another replica held the lock.
	relayPoll = 250 * time.Millisecond
	// relayBusy is the wait when another replica is relaying.
	relayBusy = 50 * time.Millisecond
	// relayPause is the wait after a batch, so that the next batch is fuller:
	// each batch costs three round trips.
	relayPause = 10 * time.Millisecond
	// publishTimeout limits one batch, so that a hung relay loses its lock.
	publishTimeout = 30 * time.Second
	relayMaxWait   = 5 * time.Second
	lagInterval    = time.Second
)

// relayLock is the advisory lock, one per database, held by the replica that
// relays.
const relayLock int64 = 0x6f7574626f78 // "outbox"

var outboxLag = promauto.NewGauge(prometheus.GaugeOpts{
	Name: "outbox_lag_seconds", Help: "Age of the oldest message in the outbox.",
})

// Relay publishes committed messages from the outbox to Kafka, at least once
// and in order for each key. Every replica runs one; a database lock lets one
// work at a time.
type Relay struct {
	pool    *pgxpool.Pool
	publish func(context.Context, []Message) error
	lagRead time.Time
}

// NewRelay returns a relay that passes messages to publish. publish must return
// nil only when the brokers have acknowledged every message; after an error,
// all of them are passed again. The relay keeps the gauge outbox_lag_seconds,
// the age of the oldest unpublished message.
func NewRelay(pool *pgxpool.Pool, publish func(context.Context, []Message) error) *Relay {
	return &Relay{pool: pool, publish: publish}
}

// Run relays until ctx ends. It does not return on errors of Postgres or Kafka:
// it backs off, up to five seconds, and retries.
func (r *Relay) Run(ctx context.Context) error {
	var signal <-chan struct{}
	failures := 0
	for ctx.Err() == nil {
		if signal == nil {
			signal, _ = wakeSignal(ctx, r.pool) // until this succeeds, polling suffices
		}
		n, err := r.relayOnce(ctx)
		wait, deaf := relayPoll, true
		switch {
		case errors.Is(err, errBusy):
			wait = relayBusy
		case err != nil && ctx.Err() == nil:
			failures++
			wait = backOff(failures)
			slog.WarnContext(ctx, "outbox relay failed", "error", err, "retry_in", wait)
		case n == relayBatch:
			wait = 0
		case n > 0:
			wait = relayPause
		default:
			deaf = false
		}
		if err == nil {
			failures = 0
		}
		r.readLag(ctx)
		if !sleep(ctx, wait, signal, deaf) {
			break
		}
	}
	return nil
}

var errBusy = errors.New("another replica relays")

// relayOnce publishes one batch and returns its size. The end of ctx stops only
// the publishing: published messages must still be deleted from the outbox.
func (r *Relay) relayOnce(ctx context.Context) (n int, err error) {
	publishing, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), 2*publishTimeout)
	defer done()
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	mine, ids, messages, err := next(ctx, conn.Conn())
	if err == nil && !mine {
		return 0, errBusy
	}
	if err == nil && len(ids) > 0 {
		// No transaction is open while waiting for Kafka: it would hold back
		// vacuum.
		if err = r.publish(publishing, messages); err != nil {
			err = fmt.Errorf("publish: %w", err)
		}
	}
	if err == nil && len(ids) > 0 {
		_, err = conn.Exec(ctx, `DELETE FROM outbox WHERE id = ANY($1)`, ids)
	}
	// Unlock only after the rows are deleted: the next lock holder would
	// publish them again.
	if _, failed := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, relayLock); failed != nil {
		_ = conn.Conn().Close(ctx) // this releases the lock
		return 0, errors.Join(err, failed)
	}
	return len(ids), err
}

// next reads the oldest messages, in order of id.
//
// No position is kept, because published rows are deleted: the row of an open
// transaction, whose id may be lower, is found when it commits. For messages of
// one key, the order of ids is the order of commits: before it enqueued, the
// second writer had to wait for the first one's lock on the entity's row.
// Reading only below pg_snapshot_xmin, which a relay with a position must do,
// would break that: a transaction gets its xid before it waits for a lock, so
// the second writer's xid may be the lower one.
//
// next takes the lock first, in the same round trip; mine is false when another
// replica has it.
func next(ctx context.Context, conn *pgx.Conn) (mine bool, ids []int64, messages []Message, err error) {
	b := &pgx.Batch{}
	b.Queue(`SELECT pg_try_advisory_lock($1)`, relayLock).QueryRow(func(row pgx.Row) error { return row.Scan(&mine) })
	b.Queue(`SELECT id, topic, key, event_id, type, payload, headers, created_at FROM outbox ORDER BY id LIMIT $1`, relayBatch).
		Query(func(rows pgx.Rows) error {
			var id int64
			var m Message
			var headers []byte
			_, err := pgx.ForEachRow(rows, []any{&id, &m.Topic, &m.Key, &m.ID, &m.Type, &m.Data, &headers, &m.Time}, func() error {
				m.Headers = nil
				if err := json.Unmarshal(headers, &m.Headers); err != nil {
					return fmt.Errorf("headers of outbox row %d: %w", id, err)
				}
				ids, messages = append(ids, id), append(messages, m)
				return nil
			})
			return err
		})
	err = conn.SendBatch(ctx, b).Close()
	return mine, ids, messages, err
}

// readLag sets the gauge, at most once a second.
func (r *Relay) readLag(ctx context.Context) {
	if time.Since(r.lagRead) < lagInterval {
		return
	}
	r.lagRead = time.Now()
	var seconds float64
	err := r.pool.QueryRow(ctx, `SELECT coalesce(extract(epoch FROM clock_timestamp() -
		(SELECT created_at FROM outbox ORDER BY id LIMIT 1))::float8, 0)`).Scan(&seconds)
	if err == nil {
		outboxLag.Set(seconds)
	}
}

func backOff(failures int) time.Duration {
	d := min(relayPoll<<min(failures-1, 10), relayMaxWait)
	return d/2 + rand.N(d/2)
}

// sleep waits for d or, unlike clock.Sleep and unless deaf, for a signal. It
// returns false when ctx ends.
func sleep(ctx context.Context, d time.Duration, signal <-chan struct{}, deaf bool) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	if deaf {
		signal = nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-signal:
	case <-t.C:
	}
	return true
}
