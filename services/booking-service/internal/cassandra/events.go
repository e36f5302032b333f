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

// Events implements eventlog.Store.
func (s *Store) Events(ctx context.Context) ([]eventlog.ListedEvent, error) {
	iter, err := s.query(ctx, eventsPage, `SELECT event, ends_at FROM events_on_sale WHERE bucket = ?`, eventsBucket)
	if err != nil {
		return nil, err
	}
	var all []eventlog.ListedEvent
	var id gocql.UUID
	var endsAt time.Time
	for iter.Scan(&id, &endsAt) {
		all = append(all, eventlog.ListedEvent{Event: uuid.UUID(id), EndsAt: endsAt})
	}
	if err := iter.Close(); err != nil {
		return nil, readFailed("list events", err)
	}
	return all, nil
}

// SaveEvent implements eventlog.Store. Cassandra stores EndsAt in milliseconds.
func (s *Store) SaveEvent(ctx context.Context, e eventlog.ListedEvent) error {
	return s.exec(ctx, "list event", `INSERT INTO events_on_sale (bucket, event, ends_at) VALUES (?, ?, ?)`,
		eventsBucket, gocql.UUID(e.Event), e.EndsAt)
}
