package redis

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func newSessions(t *testing.T) (*miniredis.Miniredis, *session.Store, *Sessions, *clock.Manual) {
	t.Helper()
	r := miniredis.RunT(t)
	rdb, err := redisclient.New("redis://" + r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	store := session.NewStore(rdb, time.Hour)
	s, c := NewSessions(store), clock.NewManual(time.Now())
	s.Clock = c
	return r, store, s, c
}

func TestCachedSessionsServeAMinuteWhileRedisIsDown(t *testing.T) {
	r, store, s, c := newSessions(t)
	create := func() string {
		id, _, err := store.Create(t.Context(), session.Session{UserID: "u", Role: "customer"}, 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	used, unused, ended := create(), create(), create()
	for _, id := range []string{used, ended} {
		if _, err := s.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.End(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	c.Advance(freshTTL) // this gateway gets no change announcements
	if _, err := s.Get(t.Context(), ended); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("ended session: %v, want ErrNotFound", err)
	}

	r.Close()
	if got, err := s.Get(t.Context(), used); err != nil || got.UserID != "u" {
		t.Errorf("used session with Redis down: %+v, %v", got, err)
	}
	for name, id := range map[string]string{"never seen": unused, "ended": ended} {
		if _, err := s.Get(t.Context(), id); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s session with Redis down: %v, want ErrUnavailable", name, err)
		}
	}
	c.Advance(staleTTL + time.Second)
	if _, err := s.Get(t.Context(), used); !errors.Is(err, ErrUnavailable) {
		t.Errorf("after a minute: %v, want ErrUnavailable", err)
	}

	if err := r.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), unused); err != nil {
		t.Errorf("Redis is back: %v", err)
	}
}

func TestFreshSessionsAreLookedUpAgainOnlyAfterAChange(t *testing.T) {
	r, store, s, c := newSessions(t)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	testkit.Eventually(t, "the gateway listens", func() bool { return s.missedUntil.Load() != 0 })
	c.Advance(time.Millisecond)
	create := func() string {
		id, _, err := store.Create(t.Context(), session.Session{UserID: "u", Role: "customer"}, 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	get := func(id string) (session.Session, error) { return s.Get(t.Context(), id) }
	id := create()
	if _, err := get(id); err != nil {
		t.Fatal(err)
	}
	asked := r.CommandCount()
	if _, err := get(id); err != nil || r.CommandCount() != asked {
		t.Errorf("a fresh session was looked up: %v", err)
	}
	c.Advance(freshTTL)
	ttl := r.TTL("sess:" + session.Hash(id))
	r.FastForward(time.Minute)
	if _, err := get(id); err != nil || r.CommandCount() == asked || r.TTL("sess:"+session.Hash(id)) != ttl-time.Minute {
		t.Errorf("a session older than freshTTL was not looked up, or its expiry was extended: %v", err)
	}
	c.Advance(store.ExtendEvery())
	if _, err := get(id); err != nil || r.TTL("sess:"+session.Hash(id)) != time.Hour {
		t.Errorf("the expiry was not extended: %v, %v", r.TTL("sess:"+session.Hash(id)), err)
	}
	if err := store.Update(t.Context(), "u", func(sess *session.Session) { sess.Verified = true }); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the change is seen", func() bool { got, _ := get(id); return got.Verified })
	if err := store.End(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the end is seen", func() bool {
		_, err := get(id)
		return errors.Is(err, session.ErrNotFound)
	})
}
