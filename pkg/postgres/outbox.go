package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
)

// Message is a CloudEvent to be sent to Kafka.
type Message struct {
	Topic string
	// Key orders messages about one entity: those with the same key are
	// published in the order their transactions wrote it, provided that the
	// transactions lock the entity's row before they enqueue.
	Key string
	// ID is the CloudEvents id, a UUIDv7 set by Enqueue.
	ID string
	// Type is the CloudEvents type.
	Type string
	// Data is the JSON of the message.
	Data []byte
	// Headers continue the trace of the request that caused the message; see TraceHeaders.
	Headers map[string]string
	// Time is when the message was enqueued, by Postgres's clock.
	Time time.Time
}

// TraceHeaders returns the headers that continue the trace of ctx.
func TraceHeaders(ctx context.Context) map[string]string {
	carrier := propagation.MapCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, carrier)
	return carrier
}

// Enqueue writes messages to the outbox in the caller's transaction: they are
// published if and only if the transaction commits. The caller sets Topic, Key,
// Type, Data and optionally Headers; Enqueue sets the rest. It needs the table
// Outbox and a running Relay.
func Enqueue(ctx context.Context, tx pgx.Tx, messages ...Message) error {
	n := len(messages)
	if n == 0 {
		return nil
	}
	topics, keys, ids, types := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	data, headers := make([][]byte, n), make([]string, n)
	for i, m := range messages {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
		if m.Headers == nil {
			m.Headers = TraceHeaders(ctx)
		}
		encoded, err := json.Marshal(m.Headers)
		if err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
		topics[i], keys[i], ids[i], types[i], data[i], headers[i] = m.Topic, m.Key, id.String(), m.Type, m.Data, string(encoded)
	}
	_, err := tx.Exec(ctx, `INSERT INTO outbox (topic, key, event_id, type, payload, headers)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::jsonb[])`,
		topics, keys, ids, types, data, headers)
	if err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	tx.Conn().PgConn().CustomData()[enqueued] = true
	return nil
}

// Keys of a connection's custom data.
const (
	enqueued = "frontrow.enqueued"
	wake     = "frontrow.wake"
)

// wakeRelayAfterEnqueue makes the pool wake the relay when a connection that
// wrote to the outbox is released, which is after its commit. NOTIFY would do
// the same across processes, but a transaction that notifies holds a
// database-wide lock through its commit, so commits could no longer share a
// flush. The relay's poll finds the rows of other processes.
func wakeRelayAfterEnqueue(cfg *pgxpool.Config) {
	signal := make(chan struct{}, 1)
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		c.PgConn().CustomData()[wake] = signal
		return nil
	}
	cfg.AfterRelease = func(c *pgx.Conn) bool {
		data := c.PgConn().CustomData()
		if data[enqueued] == true {
			delete(data, enqueued)
			select {
			case signal <- struct{}{}:
			default:
			}
		}
		return true
	}
}

// wakeSignal returns the channel that signals new rows of this pool.
func wakeSignal(ctx context.Context, pool *pgxpool.Pool) (<-chan struct{}, error) {
	var signal chan struct{}
	err := pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		signal, _ = c.Conn().PgConn().CustomData()[wake].(chan struct{})
		return nil
	})
	return signal, err
}
