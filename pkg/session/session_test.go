package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

const idle, absolute = 10 * time.Minute, time.Hour

func newStore(t *testing.T) (*Store, *clock.Manual) {
	t.Helper()
	rdb, err := redisclient.New(testkit.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	s := NewStore(rdb, idle)
	c := clock.NewManual(time.Now())
	s.Clock = c
	return s, c
}

func login(t *testing.T, s *Store, user string) string {
	t.Helper()
	id, _, err := s.Create(t.Context(), Session{UserID: user, Email: "a@b.example", Role: "customer"}, absolute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.EndAll(context.Background(), user) })
	return id
}

func gone(t *testing.T, s *Store, id string) {
	t.Helper()
	if _, err := s.Get(t.Context(), id); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
}

func TestSessionIsFoundByItsIDWhichRedisDoesNotHold(t *testing.T) {
	s, _ := newStore(t)
	user := testkit.Unique("user")
	id := login(t, s, user)
	got, err := s.Get(t.Context(), id)
	if err != nil || got.UserID != user || got.Role != "customer" || got.ExpiresAt.Sub(got.CreatedAt) != absolute {
		t.Fatalf("Get = %+v, %v", got, err)
	}
	value, err := s.rdb.Get(t.Context(), key(Hash(id))).Result()
	if err != nil || strings.Contains(value+key(Hash(id)), id) {
		t.Errorf("the id is readable in Redis: %q, %v", value, err)
	}
}

func TestUseExtendsIdleTimeoutUpToAbsoluteTimeout(t *testing.T) {
	s, c := newStore(t)
	id := login(t, s, testkit.Unique("user"))
	k := key(Hash(id))
	s.rdb.Expire(t.Context(), k, time.Minute)
	if _, err := s.Get(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if ttl := s.rdb.TTL(t.Context(), k).Val(); ttl > time.Minute {
		t.Errorf("idle time left %v after a look, want a minute", ttl)
	}
	if _, err := s.Extend(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if ttl := s.rdb.TTL(t.Context(), k).Val(); ttl < idle-time.Minute {
		t.Errorf("idle time left %v after use, want %v", ttl, idle)
	}

	// Near the end by Redis's own clock: two minutes are left.
	s.rdb.Set(t.Context(), k, `{"user_id":"u","expires_at":"`+time.Now().Add(2*time.Minute).UTC().Format(time.RFC3339)+`"}`, redis.KeepTTL)
	if _, err := s.Extend(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if ttl := s.rdb.TTL(t.Context(), k).Val(); ttl > 2*time.Minute {
		t.Errorf("lives %v more, past its absolute end in 2 minutes", ttl)
	}
	c.Advance(3 * time.Minute)
	gone(t, s, id)
}

func TestEndedSessionIsGoneAtOnce(t *testing.T) {
	s, _ := newStore(t)
	user := testkit.Unique("user")
	one, two, other := login(t, s, user), login(t, s, user), login(t, s, testkit.Unique("user"))
	if err := s.End(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	gone(t, s, one)
	if _, err := s.Get(t.Context(), two); err != nil {
		t.Errorf("the user's other session: %v", err)
	}
	if err := s.EndAll(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	gone(t, s, two)
	if _, err := s.Get(t.Context(), other); err != nil {
		t.Errorf("another user's session: %v", err)
	}
	if err := s.End(t.Context(), one); err != nil {
		t.Errorf("ending twice: %v", err)
	}
}

func TestSetRoleUpdatesLiveSessionsOnly(t *testing.T) {
	s, _ := newStore(t)
	user := testkit.Unique("user")
	one, two, ended := login(t, s, user), login(t, s, user), login(t, s, user)
	s.rdb.Del(t.Context(), key(Hash(ended)))
	if err := s.SetRole(t.Context(), user, "organizer"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{one, two} {
		if got, err := s.Get(t.Context(), id); err != nil || got.Role != "organizer" {
			t.Errorf("Get = %+v, %v", got, err)
		}
	}
	gone(t, s, ended)
	s.rdb.AddHook(endsAfterRead{s.rdb})
	if err := s.SetRole(t.Context(), user, "admin"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{one, two} {
		gone(t, s, id)
	}
}

// endsAfterRead makes every session end right after it was read.
type endsAfterRead struct{ rdb *redis.Client }

func (endsAfterRead) DialHook(next redis.DialHook) redis.DialHook { return next }

func (e endsAfterRead) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() == "get" {
			e.rdb.Del(ctx, cmd.Args()[1].(string))
		}
		return err
	}
}

func (endsAfterRead) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestSessionChangesArePublished(t *testing.T) {
	s, _ := newStore(t)
	changed, subscribed := make(chan string, 10), make(chan struct{}, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Changes(ctx, func(hash string) { changed <- hash }, func() { subscribed <- struct{}{} })
	}()
	<-subscribed
	user := testkit.Unique("user")
	one, two, three := login(t, s, user), login(t, s, user), login(t, s, user)
	expect := func(what string, ids ...string) {
		t.Helper()
		want := map[string]bool{}
		for _, id := range ids {
			want[Hash(id)] = true
		}
		timeout := time.After(time.Minute)
		for len(want) > 0 {
			select {
			case hash := <-changed:
				delete(want, hash)
			case <-timeout:
				t.Fatalf("%s: %d session changes were not published", what, len(want))
			}
		}
	}
	if err := s.End(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	expect("end", one)
	if err := s.SetRole(t.Context(), user, "organizer"); err != nil {
		t.Fatal(err)
	}
	expect("role", two, three)
	if err := s.EndAll(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	expect("end all", two, three)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestMalformedIDsAreNotFoundWithoutRedis(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: testkit.FreeAddr(t)})
	defer rdb.Close()
	s := NewStore(rdb, idle)
	for _, id := range []string{"", "x", strings.Repeat("*", 43), strings.Repeat("a", 44)} {
		gone(t, s, id)
	}
}

func TestUnreachableRedisFailsFast(t *testing.T) {
	rdb, err := redisclient.New("redis://" + testkit.FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	_, err = NewStore(rdb, idle).Get(t.Context(), strings.Repeat("a", 43))
	if err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("Get = %v, want an error that is not ErrNotFound", err)
	}
}
