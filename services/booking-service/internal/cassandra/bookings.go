package cassandra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// ReadBooking implements booking.Store.
func (s *Store) ReadBooking(ctx context.Context, ref booking.Ref, linearizable bool) (booking.Record, error) {
	var rec booking.Record
	session, err := s.connect()
	if err != nil {
		return rec, err
	}
	consistency := gocql.Quorum
	if linearizable {
		consistency = gocql.Consistency(gocql.Serial)
	}
	var doc, outbox string
	err = session.Query(`SELECT revision, booking, outbox, updated_at FROM seats
		WHERE event_id = ? AND block_id = ? AND seat_index = -1 AND booking_id = ?`,
		gocql.UUID(ref.Event), ref.Block, gocql.UUID(ref.ID)).
		Consistency(consistency).WithContext(ctx).Scan(&rec.Revision, &doc, &outbox, &rec.UpdatedAt)
	if errors.Is(err, gocql.ErrNotFound) {
		return booking.Record{}, nil
	}
	if err != nil {
		return rec, fmt.Errorf("cassandra: read booking: %w", err)
	}
	return rec, decode(doc, outbox, &rec)
}

const selectBookings = `SELECT revision, booking, outbox, updated_at FROM seats WHERE event_id = ? AND block_id = ? AND seat_index = -1`

// ReadBookings implements booking.Store.
func (s *Store) ReadBookings(ctx context.Context, id booking.BlockID) ([]booking.Record, error) {
	return s.bookings(ctx, selectBookings, id)
}

// ReadUnsent implements booking.Store. The rows are filtered where they are: one
// partition, of a few thousand rows.
func (s *Store) ReadUnsent(ctx context.Context, id booking.BlockID) ([]booking.Record, error) {
	return s.bookings(ctx, selectBookings+` AND outbox > '' LIMIT 500 ALLOW FILTERING`, id)
}

func (s *Store) bookings(ctx context.Context, query string, id booking.BlockID) ([]booking.Record, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(query, gocql.UUID(id.Event), id.Block).WithContext(ctx).Iter()
	var all []booking.Record
	for {
		var rec booking.Record
		var doc, outbox string
		if !iter.Scan(&rec.Revision, &doc, &outbox, &rec.UpdatedAt) {
			break
		}
		if err := decode(doc, outbox, &rec); err != nil {
			return nil, errors.Join(err, iter.Close())
		}
		all = append(all, rec)
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: read bookings: %w", err)
	}
	return all, nil
}

const insertIndex = `INSERT INTO bookings_by_user (user_id, booking_id, event_id, home_block, created_at) VALUES (?, ?, ?, ?, ?)`

func indexValues(e booking.IndexEntry) []any {
	return []any{gocql.UUID(e.UserID), gocql.UUID(e.ID), gocql.UUID(e.Event), e.Block, time.UnixMilli(e.CreatedAt)}
}

// IndexBookings implements booking.Store. The batch saves requests; that its
// rows may be there in part does no harm.
func (s *Store) IndexBookings(ctx context.Context, entries []booking.IndexEntry) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	batch := session.NewBatch(gocql.UnloggedBatch).WithContext(ctx)
	for _, e := range entries {
		batch.Query(insertIndex, indexValues(e)...)
		batch.Entries[len(batch.Entries)-1].Idempotent = true
	}
	if err := session.ExecuteBatch(batch); err != nil {
		return fmt.Errorf("cassandra: index by user: %w", err)
	}
	return nil
}

// IndexKey implements booking.Store.
func (s *Store) IndexKey(ctx context.Context, e booking.IndexEntry, key string, requestHash []byte) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	batch := session.NewBatch(gocql.UnloggedBatch).WithContext(ctx)
	batch.Query(insertIndex, indexValues(e)...)
	batch.Query(`INSERT INTO idempotency_keys (user_id, key, request_hash, booking_id, event_id, home_block) VALUES (?, ?, ?, ?, ?, ?)`,
		gocql.UUID(e.UserID), key, requestHash, gocql.UUID(e.ID), gocql.UUID(e.Event), e.Block)
	for i := range batch.Entries {
		batch.Entries[i].Idempotent = true
	}
	if err := session.ExecuteBatch(batch); err != nil {
		return fmt.Errorf("cassandra: index by key: %w", err)
	}
	return nil
}

// UserBookings implements booking.Store.
func (s *Store) UserBookings(ctx context.Context, user uuid.UUID) ([]booking.IndexEntry, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(`SELECT booking_id, event_id, home_block, created_at FROM bookings_by_user WHERE user_id = ?`,
		gocql.UUID(user)).WithContext(ctx).Iter()
	var (
		all       []booking.IndexEntry
		id, event gocql.UUID
		block     int
		created   time.Time
	)
	for iter.Scan(&id, &event, &block, &created) {
		all = append(all, booking.IndexEntry{
			Ref:    booking.Ref{BlockID: booking.BlockID{Event: uuid.UUID(event), Block: block}, ID: uuid.UUID(id)},
			UserID: user, CreatedAt: created.UnixMilli(),
		})
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: bookings of a user: %w", err)
	}
	return all, nil
}

// FindBooking implements booking.Store.
func (s *Store) FindBooking(ctx context.Context, user, id uuid.UUID) (booking.Ref, bool, error) {
	session, err := s.connect()
	if err != nil {
		return booking.Ref{}, false, err
	}
	var event gocql.UUID
	var block int
	err = session.Query(`SELECT event_id, home_block FROM bookings_by_user WHERE user_id = ? AND booking_id = ?`,
		gocql.UUID(user), gocql.UUID(id)).WithContext(ctx).Scan(&event, &block)
	if errors.Is(err, gocql.ErrNotFound) {
		return booking.Ref{}, false, nil
	}
	if err != nil {
		return booking.Ref{}, false, fmt.Errorf("cassandra: find booking: %w", err)
	}
	return booking.Ref{BlockID: booking.BlockID{Event: uuid.UUID(event), Block: block}, ID: id}, true, nil
}

// FindKey implements booking.Store.
func (s *Store) FindKey(ctx context.Context, user uuid.UUID, key string) (booking.Ref, []byte, bool, error) {
	session, err := s.connect()
	if err != nil {
		return booking.Ref{}, nil, false, err
	}
	var hash []byte
	var id, event gocql.UUID
	var block int
	err = session.Query(`SELECT request_hash, booking_id, event_id, home_block FROM idempotency_keys WHERE user_id = ? AND key = ?`,
		gocql.UUID(user), key).WithContext(ctx).Scan(&hash, &id, &event, &block)
	if errors.Is(err, gocql.ErrNotFound) {
		return booking.Ref{}, nil, false, nil
	}
	if err != nil {
		return booking.Ref{}, nil, false, fmt.Errorf("cassandra: find key: %w", err)
	}
	return booking.Ref{BlockID: booking.BlockID{Event: uuid.UUID(event), Block: block}, ID: uuid.UUID(id)}, hash, true, nil
}

// eventsBucket is the one partition of the definitions: a few hundred rows.
const eventsBucket = 0

// SaveEvent implements booking.Store.
func (s *Store) SaveEvent(ctx context.Context, e *booking.Event) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	definition, err := json.Marshal(e.EventChanged)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	id := gocql.UUID(e.ID())
	var stored int64
	for {
		applied, err := session.Query(`INSERT INTO events (bucket, event_id, version, definition) VALUES (?, ?, ?, ?) IF NOT EXISTS`,
			eventsBucket, id, e.Version, string(definition)).WithContext(ctx).MapScanCAS(map[string]any{"version": &stored})
		if err != nil || applied {
			return outcome(err)
		}
		if stored >= e.Version {
			return nil
		}
		applied, err = session.Query(`UPDATE events SET version = ?, definition = ? WHERE bucket = ? AND event_id = ? IF version = ?`,
			e.Version, string(definition), eventsBucket, id, stored).WithContext(ctx).MapScanCAS(map[string]any{})
		if err != nil || applied {
			return outcome(err)
		}
	}
}

// EventVersions implements booking.Store.
func (s *Store) EventVersions(ctx context.Context) (map[uuid.UUID]int64, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(`SELECT event_id, version FROM events WHERE bucket = ?`, eventsBucket).WithContext(ctx).Iter()
	versions := map[uuid.UUID]int64{}
	var id gocql.UUID
	var version int64
	for iter.Scan(&id, &version) {
		versions[uuid.UUID(id)] = version
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: event versions: %w", err)
	}
	return versions, nil
}

// ReadEvent implements booking.Store.
func (s *Store) ReadEvent(ctx context.Context, id uuid.UUID) (*booking.Event, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	var definition string
	err = session.Query(`SELECT definition FROM events WHERE bucket = ? AND event_id = ?`, eventsBucket, gocql.UUID(id)).
		WithContext(ctx).Scan(&definition)
	if errors.Is(err, gocql.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cassandra: read event: %w", err)
	}
	var def events.EventChanged
	if err := json.Unmarshal([]byte(definition), &def); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	return booking.NewEvent(def)
}
