package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gocql/gocql"
	"github.com/google/uuid"
)

// logID is the key of an event's log: the first 8 bytes of the event's id.
func logID(event uuid.UUID) int64 { return int64(binary.BigEndian.Uint64(event[:8])) }

// fold reads an event's log and replays it. Error: the log does not exist, or
// has an entry that can't be decoded.
func (a *Auditor) fold(ctx context.Context, event uuid.UUID) (*fold, error) {
	// A serial read completes the appends in progress, so all entries up to
	// this head are at a quorum.
	before, err := a.head(ctx, event)
	if err != nil {
		return nil, err
	}
	f := newFold(event)
	entries := a.cassandra.Query(`SELECT seq, entry FROM event_log WHERE event = ?`, logID(event)).
		Consistency(gocql.Quorum).WithContext(ctx).PageSize(200).Iter()
	var seq int64
	var entry []byte
	for entries.Scan(&seq, &entry) {
		if err := f.apply(seq, entry); err != nil {
			return nil, errors.Join(fmt.Errorf("audit: log of event %s: %w", event, err), entries.Close())
		}
		entry = nil // the next entry gets its own memory
	}
	if err := entries.Close(); err != nil {
		return nil, fmt.Errorf("audit: log of event %s: %w", event, err)
	}
	after, err := a.head(ctx, event)
	if err != nil {
		return nil, err
	}
	if f.seq < before || f.seq > after {
		f.inconsistency("it is the last one, and the head was %d before and %d after it was read", before, after)
	}
	return f, nil
}

func (a *Auditor) head(ctx context.Context, event uuid.UUID) (int64, error) {
	var head int64
	err := a.cassandra.Query(`SELECT head FROM event_log WHERE event = ? LIMIT 1`, logID(event)).
		Consistency(gocql.Consistency(gocql.Serial)).WithContext(ctx).Scan(&head)
	if err != nil {
		return 0, fmt.Errorf("audit: head of event %s: %w", event, err)
	}
	return head, nil
}

// published returns the entry up to which messages are sent.
func (a *Auditor) published(ctx context.Context, event uuid.UUID) (int64, error) {
	var published int64
	err := a.cassandra.Query(`SELECT published FROM cursors WHERE event = ?`, logID(event)).
		Consistency(gocql.Quorum).WithContext(ctx).Scan(&published)
	if err != nil && !errors.Is(err, gocql.ErrNotFound) {
		return 0, fmt.Errorf("audit: cursor of event %s: %w", event, err)
	}
	return published, nil
}
