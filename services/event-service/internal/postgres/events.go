package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

const selectEvents = `
	SELECT e.id, e.organizer_id, e.name, e.description, e.starts_at, e.ends_at, e.time_zone, e.currency, e.ticket_types,
		e.sale_starts_at, e.sale_ends_at, e.max_seats_per_buyer, e.hold_seconds, e.queue, e.status, e.cancel_reason, e.version,
		e.created_at, e.updated_at, v.id, v.name, v.city, v.time_zone, v.kinds
	FROM events e JOIN venues v ON v.id = e.venue_id`

func scanEvent(row pgx.Row) (*event.Event, error) {
	var e event.Event
	v := &e.Venue
	err := row.Scan(&e.ID, &e.OrganizerID, &e.Name, &e.Description, &e.StartsAt, &e.EndsAt, &e.TimeZone, &e.Currency, &e.TicketTypes,
		&e.SaleStartsAt, &e.SaleEndsAt, &e.MaxSeatsPerBuyer, &e.HoldSeconds, &e.Queue, &e.Status, &e.CancelReason, &e.Version,
		&e.CreatedAt, &e.UpdatedAt, &v.ID, &v.Name, &v.City, &v.TimeZone, &v.Kinds)
	if postgres.IsNoRows(err) {
		return nil, problem.NotFound("The event")
	}
	if err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	e.StartsAt, e.EndsAt = e.StartsAt.UTC(), e.EndsAt.UTC()
	e.SaleStartsAt, e.SaleEndsAt = e.SaleStartsAt.UTC(), e.SaleEndsAt.UTC()
	e.CreatedAt, e.UpdatedAt = e.CreatedAt.UTC(), e.UpdatedAt.UTC()
	return &e, nil
}

// Event returns an event of any status.
func (s *Store) Event(ctx context.Context, id uuid.UUID) (*event.Event, error) {
	e, err := scanEvent(s.pool.QueryRow(ctx, selectEvents+` WHERE e.id = $1`, id))
	return e, postgres.OrUnavailable(err)
}

// EventForUpdate returns an event and locks it until the transaction ends.
func (t Tx) EventForUpdate(ctx context.Context, id uuid.UUID) (*event.Event, error) {
	return scanEvent(t.tx.QueryRow(ctx, selectEvents+` WHERE e.id = $1 FOR UPDATE OF e`, id))
}

// InsertEvent stores a new draft. The first 8 bytes of an event's id are
// unique; if they are taken, e gets a new id.
func (t Tx) InsertEvent(ctx context.Context, e *event.Event) error {
	for {
		inserted, err := t.insertEvent(ctx, e)
		if err != nil {
			return fmt.Errorf("insert event: %w", err)
		}
		if inserted {
			return nil
		}
		if e.ID, err = uuid.NewV7(); err != nil {
			return fmt.Errorf("insert event: %w", err)
		}
	}
}

func (t Tx) insertEvent(ctx context.Context, e *event.Event) (inserted bool, err error) {
	// A failed statement would abort the transaction.
	tag, err := t.tx.Exec(ctx, `
		INSERT INTO events (id, organizer_id, venue_id, name, description, starts_at, ends_at, time_zone, currency, ticket_types,
			sale_starts_at, sale_ends_at, max_seats_per_buyer, hold_seconds, queue, status, cancel_reason, version, created_at, updated_at,
			search)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			to_tsvector('simple', $21))
		ON CONFLICT DO NOTHING`,
		e.ID, e.OrganizerID, e.Venue.ID, e.Name, e.Description, e.StartsAt, e.EndsAt, e.TimeZone, e.Currency, e.TicketTypes,
		e.SaleStartsAt, e.SaleEndsAt, e.MaxSeatsPerBuyer, e.HoldSeconds, e.Queue, e.Status, e.CancelReason, e.Version,
		e.CreatedAt, e.UpdatedAt, searchText(e))
	return tag.RowsAffected() == 1, err
}

// UpdateEvent stores an event that was read by EventForUpdate and changed. If
// it is or was on sale, the change is announced to the other services.
func (t Tx) UpdateEvent(ctx context.Context, e *event.Event) error {
	_, err := t.tx.Exec(ctx, `
		UPDATE events SET venue_id = $2, name = $3, description = $4, starts_at = $5, ends_at = $6, time_zone = $7, currency = $8,
			ticket_types = $9, sale_starts_at = $10, sale_ends_at = $11, max_seats_per_buyer = $12, hold_seconds = $13, queue = $14,
			status = $15, cancel_reason = $16, version = $17, updated_at = $18, search = to_tsvector('simple', $19)
		WHERE id = $1`,
		e.ID, e.Venue.ID, e.Name, e.Description, e.StartsAt, e.EndsAt, e.TimeZone, e.Currency,
		e.TicketTypes, e.SaleStartsAt, e.SaleEndsAt, e.MaxSeatsPerBuyer, e.HoldSeconds, e.Queue,
		e.Status, e.CancelReason, e.Version, e.UpdatedAt, searchText(e))
	if err != nil {
		return fmt.Errorf("update event: %w", err)
	}
	if e.Status == event.Draft {
		return nil
	}
	return t.announce(ctx, e)
}

// DeleteEvent removes an event that was never announced.
func (t Tx) DeleteEvent(ctx context.Context, id uuid.UUID) error {
	if _, err := t.tx.Exec(ctx, `DELETE FROM events WHERE id = $1`, id); err != nil {
		return fmt.Errorf("delete event: %w", err)
	}
	return nil
}

// ApplyAvailability switches an event on sale between published and sold out by
// its seat count, unless a newer count came before. Counts of unknown events
// and of events that are not on sale have no effect.
func (s *Store) ApplyAvailability(ctx context.Context, a events.EventAvailability) error {
	status := event.Published
	if a.Total > 0 && a.Available+a.Held == 0 {
		status = event.SoldOut
	}
	_, err := s.pool.Exec(ctx, `
		UPDATE events SET availability_at = $2,
			version = version + (status <> $3)::int,
			updated_at = CASE WHEN status <> $3 THEN now() ELSE updated_at END,
			status = $3
		WHERE id = $1 AND status IN ('published', 'sold_out') AND (availability_at IS NULL OR availability_at < $2)`,
		a.EventID, a.At, status)
	if err != nil {
		return fmt.Errorf("apply availability: %w", err)
	}
	return nil
}

// searchText returns the words by which an event can be found.
func searchText(e *event.Event) string {
	return strings.Join(event.Words(e.Name+" "+e.Description+" "+e.Venue.Name+" "+e.Venue.City), " ")
}
