// Package redis looks sessions up in Redis, and remembers them for a short time.
package redis

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/session"
)

const (
	// trustFor is how long a session that was good is taken for good while Redis
	// can't be asked. One that was ended meanwhile lives on as long.
	trustFor = 60 * time.Second
	// remembered sessions, at about 300 bytes each.
	remembered = 100_000
	// restFor is how long a Redis that failed is not asked for sessions that are
	// remembered: waiting for it would slow every request down.
	restFor = time.Second
)

// ErrUnavailable says that Redis is down and the session is not remembered.
var ErrUnavailable = errors.New("sessions can't be looked up")

// Sessions looks sessions up.
type Sessions struct {
	Clock clock.Clock

	store *session.Store
	known *lru.Cache[string, seen]
	// restUntil is in Unix nanoseconds.
	restUntil atomic.Int64
}

type seen struct {
	session.Session
	at time.Time
}

// NewSessions returns the sessions of store.
func NewSessions(store *session.Store) *Sessions {
	// The only error is a size below 1.
	known, _ := lru.New[string, seen](remembered)
	return &Sessions{Clock: clock.System{}, store: store, known: known}
}

// Get returns a live session. Errors: session.ErrNotFound, ErrUnavailable.
func (s *Sessions) Get(ctx context.Context, id string) (session.Session, error) {
	if !session.Valid(id) {
		return session.Session{}, session.ErrNotFound
	}
	name := session.Hash(id)
	if s.Clock.Now().UnixNano() < s.restUntil.Load() {
		if sess, err := s.remember(name); err == nil {
			return sess, nil
		}
		// Who is not remembered can only win: it may have been a moment's weakness.
	}
	sess, err := s.store.Get(ctx, id)
	switch {
	case err == nil:
		s.known.Add(name, seen{sess, s.Clock.Now()})
		return sess, nil
	case errors.Is(err, session.ErrNotFound):
		s.known.Remove(name)
		return sess, err
	case ctx.Err() != nil:
		return sess, ctx.Err()
	default:
		slog.WarnContext(ctx, "redis is down: sessions from memory", "error", err)
		s.restUntil.Store(s.Clock.Now().Add(restFor).UnixNano())
		return s.remember(name)
	}
}

func (s *Sessions) remember(name string) (session.Session, error) {
	k, ok := s.known.Get(name)
	now := s.Clock.Now()
	if !ok || now.Sub(k.at) > trustFor || !now.Before(k.ExpiresAt) {
		return session.Session{}, ErrUnavailable
	}
	return k.Session, nil
}
