// Package redis looks sessions up in Redis and caches them for a short time.
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
	// freshFor is how long a cached session is used without asking Redis. Redis
	// announces changes at once; a change whose announcement is lost takes this
	// long to be seen.
	freshFor = 2 * time.Second
	// trustFor is how long a cached session stays valid while Redis is
	// unavailable. A session ended in that time stays usable as long.
	trustFor = 60 * time.Second
	// remembered is the size of the cache, in sessions of about 300 bytes each.
	remembered = 100_000
	// restFor is how long cached sessions are served without asking a Redis
	// that failed: waiting for it would slow every request down.
	restFor = time.Second
)

// ErrUnavailable means that Redis is down and the session is not cached.
var ErrUnavailable = errors.New("session look-up unavailable")

// Sessions looks sessions up.
type Sessions struct {
	Clock clock.Clock

	store *session.Store
	known *lru.Cache[string, seen]
	// restUntil is in Unix nanoseconds.
	restUntil atomic.Int64
	// changes counts the changes announced by Redis. missed is the time, in
	// Unix nanoseconds, before which announcements may have been lost: entries
	// looked up before it are stale.
	changes, missed atomic.Int64
}

type seen struct {
	session.Session
	// at is when the session was looked up, extended when its idle timeout was
	// reset.
	at, extended time.Time
}

// NewSessions returns the sessions of store.
func NewSessions(store *session.Store) *Sessions {
	// The only error is a size below 1.
	known, _ := lru.New[string, seen](remembered)
	return &Sessions{Clock: clock.System{}, store: store, known: known}
}

// Run applies announced session changes until ctx ends.
func (s *Sessions) Run(ctx context.Context) error {
	return s.store.Changes(ctx, s.Forget, func() { s.missed.Store(s.Clock.Now().UnixNano()) })
}

// Forget removes a session from the cache.
func (s *Sessions) Forget(hash string) {
	s.changes.Add(1)
	s.known.Remove(hash)
}

// Get returns a live session. Errors: session.ErrNotFound, ErrUnavailable.
func (s *Sessions) Get(ctx context.Context, id string) (session.Session, error) {
	if !session.Valid(id) {
		return session.Session{}, session.ErrNotFound
	}
	name := session.Hash(id)
	now, changes := s.Clock.Now(), s.changes.Load()
	last, known := s.known.Get(name)
	if known && last.at.UnixNano() > s.missed.Load() && now.Sub(last.at) < freshFor && now.Before(last.ExpiresAt) {
		return last.Session, nil
	}
	if s.Clock.Now().UnixNano() < s.restUntil.Load() {
		if sess, err := s.remember(name); err == nil {
			return sess, nil
		}
		// Unknown sessions still try Redis: the outage may have been brief.
	}
	read, extended := s.store.Get, last.extended
	if now.Sub(extended) > s.store.ExtendEvery() {
		read, extended = s.store.Extend, now
	}
	sess, err := read(ctx, id)
	switch {
	case err == nil:
		s.known.Add(name, seen{sess, now, extended})
		if s.changes.Load() != changes {
			s.known.Remove(name) // it may have changed during the look-up
		}
		return sess, nil
	case errors.Is(err, session.ErrNotFound):
		s.known.Remove(name)
		return sess, err
	case ctx.Err() != nil:
		return sess, ctx.Err()
	default:
		slog.WarnContext(ctx, "look up session failed, using cached sessions", "error", err)
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
