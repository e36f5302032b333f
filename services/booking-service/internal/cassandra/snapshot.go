package cassandra

import (
	"context"
	"math"

	"github.com/gocql/gocql"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

const (
	// partSize is the size of a snapshot part, one per row, in bytes.
	partSize = 512 << 10
	// partsPage is the number of parts per page.
	partsPage = 4
	// snapshotsRead limits how many snapshots of a log are read. The newest
	// come first, so older ones do not matter to readers.
	snapshotsRead = 10
)

type snapshot struct {
	seq   int64
	parts int
}

// SaveSnapshot implements eventlog.Store. Parts 1 to n hold the data. Part 0 is
// written last and marks the snapshot as complete.
func (s *Store) SaveSnapshot(ctx context.Context, id eventlog.ID, seq int64, data []byte) error {
	const insert = `INSERT INTO snapshots (event, part, seq, parts, data) VALUES (?, ?, ?, ?, ?)`
	parts := max(1, (len(data)+partSize-1)/partSize)
	for part := 1; part <= parts; part++ {
		chunk := data[(part-1)*partSize : min(part*partSize, len(data))]
		if err := s.exec(ctx, "save snapshot", insert, int64(id), part, seq, parts, chunk); err != nil {
			return err
		}
	}
	if err := s.exec(ctx, "save snapshot", insert, int64(id), 0, seq, parts, []byte{}); err != nil {
		return err
	}
	return s.removeSnapshots(ctx, id, seq)
}

// removeSnapshots removes the snapshots older than the one before seq, which a
// reader may still be loading.
func (s *Store) removeSnapshots(ctx context.Context, id eventlog.ID, seq int64) error {
	before, err := s.snapshots(ctx, id, 0, seq)
	if err != nil || len(before) == 0 {
		return err
	}
	// A snapshot whose writer crashed has part 1 but no part 0.
	old, err := s.snapshots(ctx, id, 1, before[0].seq)
	if err != nil || len(old) == 0 {
		return err
	}
	session, err := s.connect()
	if err != nil {
		return err
	}
	batch := session.NewBatch(gocql.UnloggedBatch).WithContext(ctx)
	batch.SetConsistency(gocql.Quorum)
	for _, o := range old {
		for part := range o.parts + 1 {
			batch.Query(`DELETE FROM snapshots WHERE event = ? AND part = ? AND seq = ?`, int64(id), part, o.seq)
		}
	}
	return outcome("remove snapshots", session.ExecuteBatch(batch))
}

// snapshots returns the snapshots before seq that have the given part, newest
// first.
func (s *Store) snapshots(ctx context.Context, id eventlog.ID, part int, before int64) ([]snapshot, error) {
	iter, err := s.query(ctx, snapshotsRead,
		`SELECT seq, parts FROM snapshots WHERE event = ? AND part = ? AND seq < ? LIMIT ?`, int64(id), part, before, snapshotsRead)
	if err != nil {
		return nil, err
	}
	var all []snapshot
	var one snapshot
	for iter.Scan(&one.seq, &one.parts) {
		all = append(all, one)
	}
	if err := iter.Close(); err != nil {
		return nil, readFailed("list snapshots", err)
	}
	return all, nil
}

// LoadSnapshot implements eventlog.Store.
func (s *Store) LoadSnapshot(ctx context.Context, id eventlog.ID) (seq int64, data []byte, err error) {
	complete, err := s.snapshots(ctx, id, 0, math.MaxInt64)
	if err != nil {
		return 0, nil, err
	}
	for _, one := range complete {
		data, found, err := s.loadParts(ctx, id, one)
		if err != nil {
			return 0, nil, err
		}
		// Parts are missing if newer snapshots have since replaced this one.
		// Using an older snapshot, or none, is safe: the log has all entries.
		if found == one.parts {
			return one.seq, data, nil
		}
	}
	return 0, nil, nil
}

// loadParts returns the data of a snapshot and how many parts it found.
func (s *Store) loadParts(ctx context.Context, id eventlog.ID, one snapshot) (data []byte, found int, err error) {
	parts := make([]int, one.parts)
	for i := range parts {
		parts[i] = i + 1
	}
	iter, err := s.query(ctx, partsPage,
		`SELECT data FROM snapshots WHERE event = ? AND part IN ? AND seq = ?`, int64(id), parts, one.seq)
	if err != nil {
		return nil, 0, err
	}
	data = make([]byte, 0, one.parts*partSize)
	var chunk []byte
	for iter.Scan(&chunk) {
		data = append(data, chunk...)
		found++
	}
	if err := iter.Close(); err != nil {
		return nil, 0, readFailed("load snapshot", err)
	}
	return data, found, nil
}
