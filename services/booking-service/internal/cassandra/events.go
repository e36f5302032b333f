package cassandra

import (
	"context"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

const (
	// eventsBucket is the only bucket: the list has some thousand small rows.
	eventsBucket = 0
	eventsPage   = 1000
)

// List implements eventlog.Store.
func (s *Store) List(ctx context.Context) ([]eventlog.Listed, error) {
	iter, err := s.query(ctx, eventsPage, `SELECT event, ends_at FROM events_on_sale WHERE bucket = ?`, eventsBucket)
	if err != nil {
		return nil, err
	}
	var all []eventlog.Listed
	var id gocql.UUID
	var endsAt time.Time
	for iter.Scan(&id, &endsAt) {
		all = append(all, eventlog.Listed{Event: uuid.UUID(id), EndsAt: endsAt})
	}
	if err := iter.Close(); err != nil {
		return nil, readFailed("list events", err)
	}
	return all, nil
}

// Enlist implements eventlog.Store. Cassandra stores EndsAt in milliseconds.
func (s *Store) Enlist(ctx context.Context, e eventlog.Listed) error {
	return s.exec(ctx, "list event", `INSERT INTO events_on_sale (bucket, event, ends_at) VALUES (?, ?, ?)`,
		eventsBucket, gocql.UUID(e.Event), e.EndsAt)
}
