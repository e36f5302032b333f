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
	// freshTTL is how long a cached session is used without a look-up in Redis. Redis announces changes at once; a
	// change whose announcement is lost takes this long to be seen.
	freshTTL = 2 * time.Second
	// staleTTL is how long a cached session stays valid while Redis is unavailable. A session that ended in
	// that time stays usable as long.
	staleTTL = 60 * time.Second
	// cacheSize is in sessions, of about 300 bytes each.
	cacheSize = 100_000
	// backoff is how long cached sessions are served without trying Redis again after it failed: waiting for
	// it would slow every request down.
	backoff = time.Second
)

// ErrUnavailable means that Redis is down and the session is not cached.
var ErrUnavailable = errors.New("session look-up unavailable")

// Sessions looks sessions up.
type Sessions struct {
	Clock clock.Clock

	store *session.Store
	cache *lru.Cache[string, cached]
	// retryAt is when Redis is tried again after a failure, in Unix nanoseconds.
	retryAt atomic.Int64
	// changes counts the changes announced by Redis. missedUntil is the time, in Unix nanoseconds, before which
	// announcements may have been lost: sessions looked up before it are stale.
	changes, missedUntil atomic.Int64
}

type cached struct {
	session.Session
	// readAt is when the session was looked up, extendedAt when its idle timeout was reset.
	readAt, extendedAt time.Time
}

// NewSessions returns the sessions of store, with an empty cache.
func NewSessions(store *session.Store) *Sessions {
	// The only error is a size below 1.
	cache, _ := lru.New[string, cached](cacheSize)
	return &Sessions{Clock: clock.System{}, store: store, cache: cache}
}

// Run applies announced session changes until ctx ends.
func (s *Sessions) Run(ctx context.Context) error {
	return s.store.Changes(ctx, s.Forget, func() { s.missedUntil.Store(s.Clock.Now().UnixNano()) })
}

// Forget removes a session from the cache.
func (s *Sessions) Forget(hash string) {
	s.changes.Add(1)
	s.cache.Remove(hash)
}

// Get returns a live session. Errors: session.ErrNotFound, ErrUnavailable, ctx's error.
func (s *Sessions) Get(ctx context.Context, id string) (session.Session, error) {
	if !session.Valid(id) {
		return session.Session{}, session.ErrNotFound
	}
	hash := session.Hash(id)
	now, changes := s.Clock.Now(), s.changes.Load()
	last, ok := s.cache.Get(hash)
	missed := last.readAt.UnixNano() <= s.missedUntil.Load()
	if ok && !missed && now.Sub(last.readAt) < freshTTL && now.Before(last.ExpiresAt) {
		return last.Session, nil
	}
	if now.UnixNano() < s.retryAt.Load() {
		if sess, err := s.stale(hash); err == nil {
			return sess, nil
		}
		// Unknown sessions still try Redis: the outage may have been brief.
	}
	read, extendedAt := s.store.Get, last.extendedAt
	if now.Sub(extendedAt) > s.store.ExtendEvery() {
		read, extendedAt = s.store.Extend, now
	}
	sess, err := read(ctx, id)
	switch {
	case err == nil:
		sess.UserAgent, sess.Address = "", "" // unused here, and as large as the rest
		s.cache.Add(hash, cached{sess, now, extendedAt})
		if s.changes.Load() != changes {
			s.cache.Remove(hash) // it may have changed during the look-up
		}
		return sess, nil
	case errors.Is(err, session.ErrNotFound):
		s.cache.Remove(hash)
		return sess, err
	case ctx.Err() != nil:
		return sess, ctx.Err()
	default:
		slog.WarnContext(ctx, "look up session failed, using cached sessions", "error", err)
		s.retryAt.Store(s.Clock.Now().Add(backoff).UnixNano())
		return s.stale(hash)
	}
}

// stale returns a cached session that is valid while Redis is unavailable. Error: ErrUnavailable.
func (s *Sessions) stale(hash string) (session.Session, error) {
	last, ok := s.cache.Get(hash)
	now := s.Clock.Now()
	if !ok || now.Sub(last.readAt) > staleTTL || !now.Before(last.ExpiresAt) {
		return session.Session{}, ErrUnavailable
	}
	return last.Session, nil
}
