package booking

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
)

// Position is a place in a user's list of bookings, newest first.
type Position struct {
	// CreatedAt in Unix milliseconds.
	CreatedAt int64
	ID        uuid.UUID
}

func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(q.CreatedAt, p.CreatedAt), bytes.Compare(q.ID[:], p.ID[:]))
}

// List returns up to limit of a user's bookings after a position (nil: from the
// newest), and the position to go on from, nil at the end.
func (s *Service) List(ctx context.Context, user uuid.UUID, after *Position, limit int) ([]Booking, *Position, error) {
	entries, err := s.store.UserBookings(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	position := func(e IndexEntry) Position { return Position{e.CreatedAt, e.ID} }
	slices.SortFunc(entries, func(a, b IndexEntry) int { return position(a).compare(position(b)) })
	page := []Booking{}
	for _, e := range entries {
		at := position(e)
		if after != nil && at.compare(*after) <= 0 {
			continue
		}
		if len(page) == limit {
			last := page[limit-1]
			return page, &Position{last.CreatedAt.UnixMilli(), last.ID}, nil
		}
		rec, err := s.store.ReadBooking(ctx, e.Ref, false)
		if err != nil {
			return nil, nil, err
		}
		// The index is written beside the hold, and stays when it fails.
		if rec.Revision > 0 && rec.Status != Refused && rec.UserID == user {
			page = append(page, rec.Booking)
		}
	}
	return page, nil, nil
}
