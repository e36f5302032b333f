// Package redis stores sessions and failed log-ins in Redis.
package redis

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// Sessions implements auth.Sessions. While Redis is down, its errors are
// problems "unavailable".
type Sessions struct {
	Store *session.Store
	// Absolute is the maximum lifetime of a session.
	Absolute time.Duration
}

// Start begins a session.
func (s Sessions) Start(ctx context.Context, a auth.Account, from auth.Client) (string, time.Time, error) {
	id, started, err := s.Store.Create(ctx, session.Session{
		UserID: a.ID.String(), Email: a.Email, Role: string(a.Role), Verified: !a.VerifiedAt.IsZero(),
		UserAgent: from.UserAgent, Address: from.Address,
	}, s.Absolute)
	return id, started.ExpiresAt, unavailable(err)
}

// List returns the open sessions of a user.
func (s Sessions) List(ctx context.Context, userID uuid.UUID) ([]auth.OpenSession, error) {
	stored, err := s.Store.List(ctx, userID.String())
	open := make([]auth.OpenSession, len(stored))
	for i, o := range stored {
		open[i] = auth.OpenSession{
			Hash: o.Hash, CreatedAt: o.CreatedAt.UTC(), LastUsedAt: o.LastUsedAt.UTC(),
			Client: auth.Client{Address: o.Address, UserAgent: o.UserAgent},
		}
	}
	return open, unavailable(err)
}

// End ends one session.
func (s Sessions) End(ctx context.Context, id string) error { return unavailable(s.Store.End(ctx, id)) }

// EndHash ends the session of a user that List calls hash.
func (s Sessions) EndHash(ctx context.Context, userID uuid.UUID, hash string) error {
	return unavailable(s.Store.EndHash(ctx, userID.String(), hash))
}

// EndAll ends all sessions of a user.
func (s Sessions) EndAll(ctx context.Context, userID uuid.UUID) error {
	return unavailable(s.Store.EndAll(ctx, userID.String()))
}

// EndOthers ends all sessions of a user except the one with this id.
func (s Sessions) EndOthers(ctx context.Context, userID uuid.UUID, id string) error {
	return unavailable(s.Store.EndAllBut(ctx, userID.String(), id))
}

// Verify marks the e-mail as verified in all sessions of a user.
func (s Sessions) Verify(ctx context.Context, userID uuid.UUID) error {
	return unavailable(s.Store.Update(ctx, userID.String(), func(sess *session.Session) { sess.Verified = true }))
}

// Authenticated sets the session's time of authentication to now.
func (s Sessions) Authenticated(ctx context.Context, id string) error {
	now := s.Store.Clock.Now()
	return unavailable(s.Store.UpdateOne(ctx, id, func(sess *session.Session) { sess.AuthenticatedAt = now }))
}

func unavailable(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, session.ErrNotFound):
		return auth.ErrSessionNotFound
	default:
		return problem.Unavailable(err)
	}
}
