package cassandra

import (
	"context"
	"errors"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

const (
	moveHead    = `UPDATE event_log SET head = ? WHERE event = ? IF head = ?`
	insertEntry = `INSERT INTO event_log (event, seq, entry) VALUES (?, ?, ?)`
)

// Append implements eventlog.Store: one conditional batch, which Cassandra runs
// through Paxos once.
func (s *Store) Append(ctx context.Context, id eventlog.ID, head int64, data []byte) (applied bool, err error) {
	session, err := s.connect()
	if err != nil {
		return false, err
	}
	var from any // null in a log that does not exist
	if head > 0 {
		from = head
	}
	batch := session.NewBatch(gocql.UnloggedBatch).WithContext(ctx).SerialConsistency(gocql.Serial)
	batch.SetConsistency(gocql.Quorum)
	batch.Query(moveHead, head+1, int64(id), from)
	batch.Query(insertEntry, int64(id), head+1, data)
	row := map[string]any{}
	applied, iter, err := session.MapExecuteBatchCAS(batch, row)
	if err != nil {
		return false, outcome(err)
	}
	if err := iter.Close(); err != nil {
		return false, outcome(err)
	}
	if _, refused := row["head"]; !applied && !refused {
		return false, errors.New("cassandra: append: the answer does not say whether it was applied")
	}
	return applied, nil
}

// Head implements eventlog.Store.
func (s *Store) Head(ctx context.Context, id eventlog.ID, serially bool) (int64, error) {
	consistency := gocql.Quorum
	if serially {
		consistency = serial
	}
	var head int64
	_, err := s.scan(ctx, consistency, []any{&head}, `SELECT head FROM event_log WHERE event = ? LIMIT 1`, int64(id))
	return head, err
}

// Read implements eventlog.Store.
func (s *Store) Read(ctx context.Context, id eventlog.ID, after int64, limit int) ([]eventlog.Stored, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(`SELECT seq, entry FROM event_log WHERE event = ? AND seq > ? ORDER BY seq LIMIT ?`, int64(id), after, limit).
		Consistency(gocql.Quorum).PageSize(limit).WithContext(ctx).Iter()
	var entries []eventlog.Stored
	var e eventlog.Stored
	for iter.Scan(&e.Seq, &e.Data) {
		entries = append(entries, e)
		e.Data = nil
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: read log: %w", err)
	}
	return entries, nil
}

// Cursor implements eventlog.Store.
func (s *Store) Cursor(ctx context.Context, id eventlog.ID) (seq int64, err error) {
	_, err = s.scan(ctx, gocql.Quorum, []any{&seq}, `SELECT published FROM cursors WHERE event = ?`, int64(id))
	return seq, err
}

// SetCursor implements eventlog.Store.
func (s *Store) SetCursor(ctx context.Context, id eventlog.ID, seq int64) error {
	return s.exec(ctx, `UPDATE cursors SET published = ? WHERE event = ?`, seq, int64(id))
}
