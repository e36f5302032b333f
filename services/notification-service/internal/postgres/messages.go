package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/notification"
)

// Confirm stores confirmed bookings and the mails with their tickets. For a
// booking whose event's cancellation arrived first it stores that mail too.
func (s *Store) Confirm(ctx context.Context, in []notification.Traced[events.BookingConfirmed]) error {
	in = byID(in, func(b events.BookingConfirmed) uuid.UUID { return b.BookingID })
	n := len(in)
	ids, eventIDs, users := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	mails := make([]notification.Mail, 0, n)
	traces := map[uuid.UUID]map[string]string{}
	for i, b := range in {
		ids[i], eventIDs[i], users[i] = b.Data.BookingID, b.Data.EventID, b.Data.UserID
		m := notification.OfConfirmation(b.Data)
		m.Trace, traces[b.Data.BookingID] = b.Trace, b.Trace
		mails = append(mails, m)
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		ended, err := collectIDs(tx.Query(ctx, `
			WITH confirmed AS (
				INSERT INTO bookings AS b (booking_id, event_id, user_id, confirmed)
				SELECT *, true FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])
				ON CONFLICT (booking_id) DO UPDATE SET confirmed = true, updated_at = now() WHERE NOT b.confirmed
				RETURNING booking_id, cancel_reason)
			SELECT booking_id FROM confirmed WHERE cancel_reason = $4`, ids, eventIDs, users, events.EventCancelled))
		if err != nil {
			return fmt.Errorf("confirm bookings: %w", err)
		}
		return add(ctx, tx, append(mails, ofCancelledEvents(ended, traces)...))
	})
}

// Cancel stores the end of bookings, and mails for those that were confirmed
// and whose event was cancelled. The first reason stays.
func (s *Store) Cancel(ctx context.Context, in []notification.Traced[events.BookingCancelled]) error {
	in = byID(in, func(b events.BookingCancelled) uuid.UUID { return b.BookingID })
	n := len(in)
	ids, eventIDs, users, reasons := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n), make([]string, n)
	traces := map[uuid.UUID]map[string]string{}
	for i, b := range in {
		ids[i], eventIDs[i], users[i], reasons[i] = b.Data.BookingID, b.Data.EventID, b.Data.UserID, string(b.Data.Reason)
		traces[b.Data.BookingID] = b.Trace
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		ended, err := collectIDs(tx.Query(ctx, `
			WITH cancelled AS (
				INSERT INTO bookings AS b (booking_id, event_id, user_id, cancel_reason)
				SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[])
				ON CONFLICT (booking_id) DO UPDATE SET cancel_reason = excluded.cancel_reason, updated_at = now()
					WHERE b.cancel_reason = ''
				RETURNING booking_id, confirmed, cancel_reason)
			SELECT booking_id FROM cancelled WHERE confirmed AND cancel_reason = $5`,
			ids, eventIDs, users, reasons, events.EventCancelled))
		if err != nil {
			return fmt.Errorf("cancel bookings: %w", err)
		}
		return add(ctx, tx, ofCancelledEvents(ended, traces))
	})
}

func ofCancelledEvents(bookings []uuid.UUID, traces map[uuid.UUID]map[string]string) []notification.Mail {
	out := make([]notification.Mail, len(bookings))
	for i, id := range bookings {
		out[i] = notification.OfCancelledEvent(id)
		out[i].Trace = traces[id]
	}
	return out
}

func collectIDs(rows pgx.Rows, err error) ([]uuid.UUID, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// ChangeEvents stores the facts of events, and mails for all who have a
// confirmed booking of an event whose facts changed. A booking whose
// confirmation is still on its way needs none: its tickets are mailed later,
// with the new facts.
func (s *Store) ChangeEvents(ctx context.Context, in []notification.Traced[events.EventChanged]) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		for _, e := range in {
			if err := change(ctx, tx, e); err != nil {
				return fmt.Errorf("change event: %w", err)
			}
		}
		return nil
	})
}

func change(ctx context.Context, tx pgx.Tx, in notification.Traced[events.EventChanged]) error {
	e, after := in.Data, notification.Facts(in.Data)
	var before mail.EventFacts
	err := tx.QueryRow(ctx, `
		SELECT version, name, venue_name, time_zone, starts_at, ends_at FROM events
		WHERE event_id = $1 FOR UPDATE`, e.EventID).
		Scan(&before.Version, &before.Name, &before.VenueName, &before.TimeZone, &before.StartsAt, &before.EndsAt)
	if err != nil && !postgres.IsNoRows(err) {
		return err
	}
	known := err == nil
	if known && before.Version >= e.Version {
		return nil
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO events AS e (event_id, version, name, venue_name, time_zone, starts_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (event_id) DO UPDATE SET version = excluded.version, name = excluded.name,
			venue_name = excluded.venue_name, time_zone = excluded.time_zone, starts_at = excluded.starts_at,
			ends_at = excluded.ends_at
			WHERE e.version < excluded.version`,
		e.EventID, e.Version, after.Name, after.VenueName, after.TimeZone, after.StartsAt, after.EndsAt)
	if err != nil || !known || e.Status != events.StatusPublished || !notification.Differ(before, after) {
		return err
	}
	m := notification.OfChange(e.EventID, e.Version, before, after)
	content, err := json.Marshal(m.Content)
	if err != nil {
		return err
	}
	trace, err := encodeTrace(in.Trace)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO mails (reason, kind, content, trace)
		SELECT $1 || '/' || user_id, $2, $3::jsonb || jsonb_build_object('booking_id', booking_id), $4::jsonb
		FROM (SELECT DISTINCT ON (user_id) user_id, booking_id FROM bookings
			WHERE event_id = $5 AND confirmed AND cancel_reason = '' ORDER BY user_id, booking_id) AS buyers
		ON CONFLICT (reason) DO NOTHING`, m.Reason, m.Kind, string(content), trace, e.EventID)
	return err
}
