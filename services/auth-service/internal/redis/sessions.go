// Package redis stores sessions and failed log-ins in Redis.
package redis

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
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
func (s Sessions) Start(ctx context.Context, a auth.Account) (string, time.Time, error) {
	id, started, err := s.Store.Create(ctx, session.Session{UserID: a.ID.String(), Email: a.Email, Role: string(a.Role)}, s.Absolute)
	return id, started.ExpiresAt, unavailable(err)
}

// End ends one session.
func (s Sessions) End(ctx context.Context, id string) error { return unavailable(s.Store.End(ctx, id)) }

// EndAll ends all sessions of a user.
func (s Sessions) EndAll(ctx context.Context, userID uuid.UUID) error {
	return unavailable(s.Store.EndAll(ctx, userID.String()))
}

// SetRole changes the role in all sessions of a user.
func (s Sessions) SetRole(ctx context.Context, userID uuid.UUID, role identity.Role) error {
	return unavailable(s.Store.SetRole(ctx, userID.String(), string(role)))
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return problem.Unavailable(err)
}
