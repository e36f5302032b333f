package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

// InsertVenue stores a venue: the facts that events need, its blocks for
// EventChanged, and document, its gzipped JSON.
func (t Tx) InsertVenue(ctx context.Context, v *event.Venue, blocks []events.Block, document []byte) error {
	_, err := t.tx.Exec(ctx, `
		INSERT INTO venues (id, owner_id, name, city, time_zone, kinds, blocks, document, seat_count, categories, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		v.ID, v.OwnerID, v.Name, v.City, v.TimeZone, v.Facts().Kinds, blocks, document, v.SeatCount, v.Categories, v.CreatedAt)
	if err != nil {
		return fmt.Errorf("insert venue: %w", err)
	}
	return nil
}

// Venue returns the facts of a venue, or nil if there is none.
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

// VenueDocument returns a venue's gzipped JSON.
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

// Venues lists up to limit of an owner's venues, newest first, that are older
// than before; uuid.Max is newer than all. describe fills in a summary from a
// document. It is called for venues that were stored without a summary, and its
// result is stored.
func (s *Store) Venues(ctx context.Context, owner, before uuid.UUID, limit int, describe func(document []byte, v *rest.OwnVenue) error) ([]rest.OwnVenue, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, name, city, time_zone, seat_count, categories, created_at FROM venues
		WHERE owner_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, owner, before, limit)
	if err != nil {
		return nil, postgres.OrUnavailable(fmt.Errorf("list venues: %w", err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v rest.OwnVenue, err error) {
		var seats *int
		err = row.Scan(&v.ID, &v.Name, &v.City, &v.TimeZone, &seats, &v.Categories, &v.CreatedAt)
		if seats != nil {
			v.SeatCount = *seats
		}
		v.CreatedAt = v.CreatedAt.UTC()
		return v, err
	})
	if err != nil {
		return nil, postgres.OrUnavailable(fmt.Errorf("list venues: %w", err))
	}
	for i := range list {
		if v := &list[i]; v.Categories == nil { // a venue has at least one
			if err := s.describe(ctx, v, describe); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func (s *Store) describe(ctx context.Context, v *rest.OwnVenue, describe func([]byte, *rest.OwnVenue) error) error {
	document, err := s.VenueDocument(ctx, v.ID)
	if err != nil {
		return err
	}
	if err := describe(document, v); err != nil {
		return err
	}
	_, err = s.pool.Exec(ctx, `UPDATE venues SET seat_count = $2, categories = $3 WHERE id = $1`, v.ID, v.SeatCount, v.Categories)
	if err != nil {
		return postgres.OrUnavailable(fmt.Errorf("describe venue: %w", err))
	}
	return nil
}
