package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/notification"
)

// keep is how long finished mails, and bookings that need no more mails, are
// kept: longer than Kafka keeps the messages that asked for them.
const keep = 90 * 24 * time.Hour

// Due is a leased mail.
type Due struct {
	notification.Mail
	// Tries counts the attempts, this one included.
	Tries     int
	CreatedAt time.Time
}

// Pick leases up to n due mails, the longest due first.
func (s *Store) Pick(ctx context.Context, n int, lease time.Duration) ([]Due, error) {
	rows, err := s.Pool.Query(ctx, `
		WITH due AS MATERIALIZED (
			SELECT reason FROM mails WHERE state = 'due' AND due_at <= clock_timestamp()
			ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
		UPDATE mails m SET due_at = clock_timestamp() + $2::interval, tries = m.tries + 1
		FROM due WHERE m.reason = due.reason
		RETURNING m.reason, m.kind, m.content, m.trace, m.tries, m.created_at`, n, lease)
	if err != nil {
		return nil, fmt.Errorf("pick mails: %w", err)
	}
	mails, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Due, err error) {
		return m, row.Scan(&m.Reason, &m.Kind, &m.Content, &m.Trace, &m.Tries, &m.CreatedAt)
	})
	if err != nil {
		return nil, fmt.Errorf("pick mails: %w", err)
	}
	return mails, nil
}

// Sent marks a mail as sent and forgets what it said.
func (s *Store) Sent(ctx context.Context, m Due) error {
	return s.update(ctx, `
		UPDATE mails SET state = 'sent', done_at = now(), content = '{}', trace = NULL, last_error = ''
		WHERE reason = $1 AND state = 'due'`, m.Reason)
}

// Dropped marks a mail as no longer wanted and forgets what it said.
func (s *Store) Dropped(ctx context.Context, m Due, why error) error {
	return s.update(ctx, `
		UPDATE mails SET state = 'dropped', done_at = now(), content = '{}', trace = NULL, last_error = $2
		WHERE reason = $1 AND state = 'due'`, m.Reason, why.Error())
}

// Dead marks a mail as undeliverable and forgets its token.
func (s *Store) Dead(ctx context.Context, m Due, why error) error {
	return s.update(ctx, `
		UPDATE mails SET state = 'dead', done_at = now(), content = content - 'token', last_error = $2
		WHERE reason = $1 AND state = 'due'`, m.Reason, why.Error())
}

// Retry makes a mail due again after a delay, unless another replica has taken
// it meanwhile.
func (s *Store) Retry(ctx context.Context, m Due, delay time.Duration, why error) error {
	return s.update(ctx, `
		UPDATE mails SET due_at = clock_timestamp() + $3::interval, last_error = $2
		WHERE reason = $1 AND state = 'due' AND tries = $4`, m.Reason, why.Error(), delay, m.Tries)
}

func (s *Store) update(ctx context.Context, query string, args ...any) error {
	if _, err := s.Pool.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("update mail: %w", err)
	}
	return nil
}

// OldestDue returns the age of the oldest mail that is not finished, or 0.
func (s *Store) OldestDue(ctx context.Context) (age time.Duration, err error) {
	err = s.Pool.QueryRow(ctx, `
		SELECT coalesce(clock_timestamp() - min(created_at), interval '0') FROM mails WHERE state = 'due'`).Scan(&age)
	return age, err
}

// Purge deletes mails that were finished more than 90 days ago, and bookings
// that have not changed for as long and were cancelled or whose event is over.
func (s *Store) Purge(ctx context.Context) error {
	_, mails := s.Pool.Exec(ctx, `DELETE FROM mails WHERE state <> 'due' AND done_at < now() - $1::interval`, keep)
	_, bookings := s.Pool.Exec(ctx, `
		DELETE FROM bookings b WHERE updated_at < now() - $1::interval AND (cancel_reason <> ''
			OR EXISTS (SELECT FROM events e WHERE e.event_id = b.event_id AND e.ends_at < now()))`, keep)
	if err := errors.Join(mails, bookings); err != nil {
		return fmt.Errorf("purge mails: %w", err)
	}
	return nil
}
