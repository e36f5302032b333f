package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

// Events lists events in the order of their positions.
func (s *Store) Events(ctx context.Context, f event.Filter) ([]*event.Event, error) {
	query, args := searchQuery(f)
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, postgres.OrUnavailable(fmt.Errorf("list events: %w", err))
	}
	defer rows.Close()
	var list []*event.Event
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, postgres.OrUnavailable(rows.Err())
}

func searchQuery(f event.Filter) (string, []any) {
	var where []string
	var args []any
	// Each ? in a condition stands for its next argument.
	and := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if f.Organizer == uuid.Nil {
		and(`e.status <> 'draft'`)
	} else {
		and(`e.organizer_id = ?`, f.Organizer)
	}
	if f.Words != nil {
		and(`e.search @@ to_tsquery('simple', ?)`, prefixQuery(f.Words))
	}
	if !f.From.IsZero() {
		and(`e.starts_at >= ?`, f.From)
	}
	if !f.To.IsZero() {
		and(`e.starts_at < ?`, f.To)
	}
	if !f.NotEndedAt.IsZero() {
		and(`e.ends_at > ?`, f.NotEndedAt)
	}
	if !f.CancelledSince.IsZero() {
		// A cancelled event does not change any more.
		and(`(e.status <> 'cancelled' OR e.updated_at >= ?)`, f.CancelledSince)
	}
	const position = `(e.status = 'cancelled'), e.starts_at, e.id`
	if f.After != nil {
		and(`(`+position+`) > (?, ?, ?)`, f.After.Cancelled, f.After.StartsAt, f.After.ID)
	}
	args = append(args, f.Limit)
	return fmt.Sprintf("%s WHERE %s ORDER BY %s LIMIT $%d", selectEvents, strings.Join(where, " AND "), position, len(args)), args
}

// prefixQuery matches texts in which every word is a prefix of some word. Words
// are only letters and digits, so they need no quoting.
func prefixQuery(words []string) string {
	return strings.Join(words, ":* & ") + ":*"
}
