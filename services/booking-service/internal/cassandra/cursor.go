package cassandra

import (
	"context"
	"errors"

	"github.com/gocql/gocql"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// Cursors implements eventlog.Store. Both are 0 at first.
func (s *Store) Cursors(ctx context.Context, id eventlog.ID) (published, listed int64, err error) {
	session, err := s.connect()
	if err != nil {
		return 0, 0, err
	}
	err = session.Query(`SELECT published, listed FROM cursors WHERE event = ?`, int64(id)).WithContext(ctx).Consistency(gocql.Quorum).
		Scan(&published, &listed)
	if err != nil && !errors.Is(err, gocql.ErrNotFound) {
		return 0, 0, readFailed("read cursors", err)
	}
	return published, listed, nil
}

// SetPublished implements eventlog.Store.
func (s *Store) SetPublished(ctx context.Context, id eventlog.ID, seq int64) error {
	return s.exec(ctx, "set cursor", `UPDATE cursors SET published = ? WHERE event = ?`, seq, int64(id))
}

// SetListed implements eventlog.Store.
func (s *Store) SetListed(ctx context.Context, id eventlog.ID, seq int64) error {
	return s.exec(ctx, "set cursor", `UPDATE cursors SET listed = ? WHERE event = ?`, seq, int64(id))
}
