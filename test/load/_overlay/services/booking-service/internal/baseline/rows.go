// Package baseline sells seats in the usual way, for comparison in the load
// test: rows in Postgres are locked in order, changed and committed. It is
// optimised as far as possible: prepared statements, two round trips per hold,
// the rows of a hold found by one index, updates that do not touch indexes.
package baseline

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// poolSize is the size for each of three replicas: a larger pool would only
// wait for two cores.
const poolSize = 16

const schema = `
-- What people usually write: a row a seat, locked, changed and committed together with the booking and its message.
CREATE SCHEMA IF NOT EXISTS baseline;
CREATE TABLE IF NOT EXISTS baseline.seats (
  event_id   uuid     NOT NULL,
  -- Block and index in one number, so that the order of locking is that of the key.
  seat       integer  NOT NULL,
  state      smallint NOT NULL DEFAULT 0,
  booking_id uuid,
  PRIMARY KEY (event_id, seat)
) WITH (fillfactor = 70); -- leaves room on a page, so that an update need not touch the index
CREATE TABLE IF NOT EXISTS baseline.bookings (
  id         uuid PRIMARY KEY,
  event_id   uuid        NOT NULL,
  user_id    uuid        NOT NULL,
  status     text        NOT NULL,
  seats      jsonb       NOT NULL,
  total      bigint      NOT NULL,
  currency   text        NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS bookings_by_user ON baseline.bookings (user_id, created_at DESC);
CREATE TABLE IF NOT EXISTS baseline.outbox (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic      text  NOT NULL,
  booking_id uuid  NOT NULL,
  payload    jsonb NOT NULL
);`

// Booking is a booking and its buyer.
type Booking struct {
	booking.Document
	User uuid.UUID
}

// Rows stores seats as rows in Postgres.
type Rows struct{ pool *pgxpool.Pool }

// Open returns the seats in the database at url. It does not connect yet.
func Open(ctx context.Context, url string) (*Rows, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = poolSize
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	return &Rows{pool}, err
}

// Close closes the connections.
func (r *Rows) Close() { r.pool.Close() }

// Prepare creates the tables and the rows of an event's seats.
func (r *Rows) Prepare(ctx context.Context, e *booking.Event) error {
	if _, err := r.pool.Exec(ctx, schema); err != nil {
		return err
	}
	var seats [][]any
	for n := range e.Plan.Len() {
		seats = append(seats, []any{e.EventID, number(e.Plan.SeatID(uint32(n)))})
	}
	if _, err := r.pool.CopyFrom(ctx, pgx.Identifier{"baseline", "seats"}, []string{"event_id", "seat"}, pgx.CopyFromRows(seats)); err != nil {
		return err
	}
	_, err := r.pool.Exec(ctx, "VACUUM ANALYZE baseline.seats")
	return err
}

func number(id booking.SeatID) int32 { return int32(id.Block*booking.BlockSize + id.Index) }

const (
	lockEvent   = `SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))`
	lockSeats   = `SELECT seat, state FROM baseline.seats WHERE event_id = $1 AND seat = ANY($2) ORDER BY seat FOR UPDATE`
	takeSeats   = `UPDATE baseline.seats SET state = 1, booking_id = $3 WHERE event_id = $1 AND seat = ANY($2)`
	saveBooking = `INSERT INTO baseline.bookings (id, event_id, user_id, status, seats, total, currency, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	saveMessage = `INSERT INTO baseline.outbox (topic, booking_id, payload) VALUES ($1, $2, $3)`
)

// Hold takes a booking's seats, or names the taken ones. With advisory, the
// holds of an event wait for each other.
func (r *Rows) Hold(ctx context.Context, b *Booking, advisory bool) (taken []booking.SeatID, err error) {
	ids := make(map[int32]booking.SeatID, len(b.Seats))
	seats := make([]int32, len(b.Seats))
	for i, s := range b.Seats {
		seats[i] = number(s.ID)
		ids[seats[i]] = s.ID
	}
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	done := false
	defer func() {
		if !done {
			// The pool discards a connection that can't roll back.
			_, _ = conn.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	if taken, err = lock(ctx, conn, b.EventID, seats, ids, advisory); err != nil || len(taken) > 0 {
		return taken, err
	}
	if err := save(ctx, conn, b, seats); err != nil {
		return nil, err
	}
	done = true
	return nil, nil
}

// lock begins a transaction and locks the seats in order.
func lock(ctx context.Context, conn *pgxpool.Conn, event uuid.UUID, seats []int32, ids map[int32]booking.SeatID, advisory bool,
) (taken []booking.SeatID, err error) {
	batch := &pgx.Batch{}
	batch.Queue("BEGIN")
	if advisory {
		batch.Queue(lockEvent, event.String())
	}
	locked := 0
	batch.Queue(lockSeats, event, seats).Query(func(rows pgx.Rows) error {
		var seat, state int32
		_, err := pgx.ForEachRow(rows, []any{&seat, &state}, func() error {
			locked++
			if state != 0 {
				taken = append(taken, ids[seat])
			}
			return nil
		})
		return err
	})
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	if locked != len(seats) {
		return nil, fmt.Errorf("%d of %d seats exist", locked, len(seats))
	}
	return taken, nil
}

// save updates the seats, writes the booking and its message, and commits.
func save(ctx context.Context, conn *pgxpool.Conn, b *Booking, seats []int32) error {
	described, err := json.Marshal(b.Seats)
	if err != nil {
		return err
	}
	message, err := json.Marshal(events.BookingCreated{
		BookingID: b.ID, EventID: b.EventID, UserID: b.User, Total: b.Total, CreatedAt: b.CreatedAt, ExpiresAt: b.ExpiresAt,
	})
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(takeSeats, b.EventID, seats, b.ID)
	batch.Queue(saveBooking, b.ID, b.EventID, b.User, string(b.Status), described, b.Total.Amount, b.Total.Currency, b.CreatedAt, b.ExpiresAt)
	batch.Queue(saveMessage, events.TopicBookingCreated, b.ID, message)
	batch.Queue("COMMIT")
	return conn.SendBatch(ctx, batch).Close()
}
