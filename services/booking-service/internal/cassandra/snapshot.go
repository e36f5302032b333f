package cassandra

import (
	"context"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// partSize is how many bytes of a snapshot are in one row.
const partSize = 512 << 10

const insertPart = `INSERT INTO snapshots (event, part, seq, parts, data) VALUES (?, ?, ?, ?, ?)`

// SaveSnapshot implements eventlog.Store.
func (s *Store) SaveSnapshot(ctx context.Context, id eventlog.ID, seq int64, data []byte) error {
	heads, err := s.heads(ctx, id)
	if err != nil {
		return err
	}
	parts := (len(data) + partSize - 1) / partSize
	for part := 1; part <= parts; part++ {
		chunk := data[(part-1)*partSize : min(part*partSize, len(data))]
		if err := s.exec(ctx, insertPart, int64(id), part, seq, parts, chunk); err != nil {
			return fmt.Errorf("save snapshot: %w", err)
		}
	}
	if err := s.exec(ctx, insertPart, int64(id), 0, seq, parts, []byte{}); err != nil {
		return fmt.Errorf("save snapshot: %w", err)
	}
	// Whoever is reading the one before may finish.
	for _, old := range heads[min(1, len(heads)):] {
		for part := 0; part <= old.parts; part++ {
			if err := s.exec(ctx, `DELETE FROM snapshots WHERE event = ? AND part = ? AND seq = ?`, int64(id), part, old.seq); err != nil {
				return fmt.Errorf("remove snapshot: %w", err)
			}
		}
	}
	return nil
}

type snapshotHead struct {
	seq   int64
	parts int
}

// heads returns the complete snapshots, newest first.
func (s *Store) heads(ctx context.Context, id eventlog.ID) (heads []snapshotHead, err error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(`SELECT seq, parts FROM snapshots WHERE event = ? AND part = 0`, int64(id)).
		Consistency(gocql.Quorum).WithContext(ctx).Iter()
	var h snapshotHead
	for iter.Scan(&h.seq, &h.parts) {
		heads = append(heads, h)
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: snapshots: %w", err)
	}
	return heads, nil
}

// LoadSnapshot implements eventlog.Store.
func (s *Store) LoadSnapshot(ctx context.Context, id eventlog.ID) (seq int64, data []byte, err error) {
	heads, err := s.heads(ctx, id)
	if err != nil || len(heads) == 0 {
		return 0, nil, err
	}
	head := heads[0]
	for part := 1; part <= head.parts; part++ {
		var chunk []byte
		found, err := s.scan(ctx, gocql.Quorum, []any{&chunk},
			`SELECT data FROM snapshots WHERE event = ? AND part = ? AND seq = ?`, int64(id), part, head.seq)
		if err == nil && !found {
			err = fmt.Errorf("part %d is missing", part) // a newer snapshot has just replaced it
		}
		if err != nil {
			return 0, nil, fmt.Errorf("load snapshot %d: %w", head.seq, err)
		}
		data = append(data, chunk...)
	}
	return head.seq, data, nil
}
