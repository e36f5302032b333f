package cassandra

import (
	"context"

	"github.com/gocql/gocql"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// Cursor implements eventlog.Store. It returns 0 when nothing is published yet.
func (s *Store) Cursor(ctx context.Context, id eventlog.ID) (seq int64, err error) {
	err = s.scan(ctx, gocql.Quorum, "read cursor", &seq, `SELECT published FROM cursors WHERE event = ?`, int64(id))
	return seq, err
}

// SetCursor implements eventlog.Store.
func (s *Store) SetCursor(ctx context.Context, id eventlog.ID, seq int64) error {
	return s.exec(ctx, "set cursor", `UPDATE cursors SET published = ? WHERE event = ?`, seq, int64(id))
}
