package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gocql/gocql"
	"github.com/google/uuid"
)

// booking is what the audit needs of a booking's row.
type booking struct {
	ID     uuid.UUID `json:"id"`
	Status string    `json:"status"`
	Total  struct {
		Amount int64 `json:"amount"`
	} `json:"total"`
	Seats []struct {
		ID string `json:"id"`
	} `json:"seats"`
}

// block reads a partition of booking-service's table seats: rows with an index
// are seats and name their owner, rows with -1 are bookings.
func (a *Auditor) block(ctx context.Context, event uuid.UUID, number int) (owners map[int]uuid.UUID, bookings []booking, err error) {
	iter := a.cassandra.Query(`SELECT seat_index, owner, status, booking FROM seats WHERE event_id = ? AND block_id = ?`,
		gocql.UUID(event), number).WithContext(ctx).PageSize(5000).Iter()
	owners = map[int]uuid.UUID{}
	var (
		index            int
		owner            gocql.UUID
		status, document string
	)
	for iter.Scan(&index, &owner, &status, &document) {
		if index >= 0 {
			owners[index] = uuid.UUID(owner)
			continue
		}
		var b booking
		if err := json.Unmarshal([]byte(document), &b); err != nil {
			return nil, nil, fmt.Errorf("audit: a booking of block %d: %w", number, err)
		}
		if b.Status != status {
			return nil, nil, fmt.Errorf("audit: booking %s says %s in one column and %s in the other", b.ID, b.Status, status)
		}
		bookings = append(bookings, b)
	}
	if err := iter.Close(); err != nil {
		return nil, nil, fmt.Errorf("audit: block %d: %w", number, err)
	}
	if len(owners) == 0 {
		return nil, nil, fmt.Errorf("audit: block %d of event %s has no seats", number, event)
	}
	return owners, bookings, nil
}
