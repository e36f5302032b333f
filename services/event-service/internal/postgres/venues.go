package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

// InsertVenue stores a venue: what events need to know of it, its blocks for
// EventChanged, and document, which is gzip of its JSON.
func (t Tx) InsertVenue(ctx context.Context, v *event.Venue, blocks []events.Block, document []byte) error {
	_, err := t.tx.Exec(ctx, `
		INSERT INTO venues (id, owner_id, name, city, time_zone, kinds, blocks, document, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		v.ID, v.OwnerID, v.Name, v.City, v.TimeZone, v.Facts().Kinds, blocks, document, v.CreatedAt)
	if err != nil {
		return fmt.Errorf("insert venue: %w", err)
	}
	return nil
}

// Venue returns what an event needs to know of a venue; nil when there is none.
func (t Tx) Venue(ctx context.Context, id uuid.UUID) (*event.Facts, error) {
	f := event.Facts{ID: id}
	err := t.tx.QueryRow(ctx, `SELECT name, city, time_zone, kinds FROM venues WHERE id = $1`, id).
		Scan(&f.Name, &f.City, &f.TimeZone, &f.Kinds)
	if postgres.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read venue: %w", err)
	}
	return &f, nil
}

// VenueDocument returns gzip of a venue's JSON.
func (s *Store) VenueDocument(ctx context.Context, id uuid.UUID) ([]byte, error) {
	var document []byte
	err := s.pool.QueryRow(ctx, `SELECT document FROM venues WHERE id = $1`, id).Scan(&document)
	if postgres.IsNoRows(err) {
		return nil, problem.NotFound("The venue")
	}
	if err != nil {
		return nil, postgres.OrUnavailable(fmt.Errorf("read venue: %w", err))
	}
	return document, nil
}
