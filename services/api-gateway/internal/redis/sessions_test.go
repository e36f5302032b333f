package redis

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/session"
)

func TestSessionsAreRememberedForAMinuteWhileRedisIsDown(t *testing.T) {
	r := miniredis.RunT(t)
	rdb, err := redisclient.New("redis://" + r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	store := session.NewStore(rdb, time.Hour)
	c := clock.NewManual(time.Now())
	s := NewSessions(store)
	s.Clock = c
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
	if _, err := s.Get(t.Context(), ended); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("ended session: %v, want ErrNotFound at once", err)
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
	c.Advance(trustFor + time.Second)
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
