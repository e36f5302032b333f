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

// entriesPage is the number of entries per page. An entry has some KiB.
const entriesPage = 200

// Append implements eventlog.Store. Cassandra runs the conditional batch
// through Paxos once.
func (s *Store) Append(ctx context.Context, id eventlog.ID, head int64, data []byte) (applied bool, err error) {
	session, err := s.connect()
	if err != nil {
		return false, err
	}
	var from any // null if the log does not exist
	if head > 0 {
		from = head
	}
	batch := session.NewBatch(gocql.UnloggedBatch).WithContext(ctx).SerialConsistency(gocql.Serial)
	batch.SetConsistency(gocql.Quorum)
	batch.Query(moveHead, head+1, int64(id), from)
	batch.Query(insertEntry, int64(id), head+1, data)
	applied, err = compareAndSet(session, batch)
	return applied, outcome("append entry", err)
}

var errNoAnswer = errors.New("bug: the answer does not have [applied]")

// compareAndSet runs a conditional batch and returns whether it was applied.
func compareAndSet(session *gocql.Session, batch *gocql.Batch) (applied bool, err error) {
	defer func() {
		if p := recover(); p != nil { // gocql panics if [applied] is missing
			applied, err = false, fmt.Errorf("%w: %v", errNoAnswer, p)
		}
	}()
	applied, iter, err := session.MapExecuteBatchCAS(batch, map[string]any{})
	if errors.Is(err, gocql.ErrNotFound) {
		return false, errNoAnswer
	}
	if err != nil {
		return false, err
	}
	if err := iter.Close(); err != nil {
		return false, err
	}
	return applied, nil
}

// Head implements eventlog.Store.
func (s *Store) Head(ctx context.Context, id eventlog.ID, serial bool) (head int64, err error) {
	consistency := gocql.Quorum
	if serial {
		consistency = gocql.Consistency(gocql.Serial)
	}
	err = s.scan(ctx, consistency, "read head", &head, `SELECT head FROM event_log WHERE event = ? LIMIT 1`, int64(id))
	return head, err
}

// Read implements eventlog.Store.
func (s *Store) Read(ctx context.Context, id eventlog.ID, after int64, limit int) ([]eventlog.Stored, error) {
	iter, err := s.query(ctx, min(limit, entriesPage),
		`SELECT seq, entry FROM event_log WHERE event = ? AND seq > ? ORDER BY seq LIMIT ?`, int64(id), after, limit)
	if err != nil {
		return nil, err
	}
	var entries []eventlog.Stored
	var e eventlog.Stored
	for iter.Scan(&e.Seq, &e.Data) {
		entries = append(entries, e)
		e.Data = nil // otherwise gocql would overwrite this entry with the next
	}
	if err := iter.Close(); err != nil {
		return nil, readFailed("read entries", err)
	}
	return entries, nil
}
