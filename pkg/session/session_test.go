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

func TestUseExtendsIdleTimeoutButNotTheAbsoluteEnd(t *testing.T) {
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

	c.Advance(absolute)
	gone(t, s, id)
	if _, err := s.Extend(t.Context(), id); !errors.Is(err, ErrNotFound) {
		t.Errorf("Extend after the absolute end = %v, want ErrNotFound", err)
	}
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

func verify(sess *Session) { sess.Verified = true }

func TestUpdateChangesLiveSessionsOnly(t *testing.T) {
	s, _ := newStore(t)
	user := testkit.Unique("user")
	one, two, ended := login(t, s, user), login(t, s, user), login(t, s, user)
	s.rdb.Del(t.Context(), key(Hash(ended)))
	if err := s.Update(t.Context(), user, verify); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{one, two} {
		if got, err := s.Get(t.Context(), id); err != nil || !got.Verified || got.UserID != user {
			t.Errorf("Get = %+v, %v", got, err)
		}
		if ttl := s.rdb.TTL(t.Context(), key(Hash(id))).Val(); ttl < idle-time.Minute || ttl > idle {
			t.Errorf("idle time left %v after an update, want %v", ttl, idle)
		}
	}
	gone(t, s, ended)
	if err := s.UpdateOne(t.Context(), ended, verify); !errors.Is(err, ErrNotFound) {
		t.Errorf("UpdateOne of an ended session = %v, want ErrNotFound", err)
	}
	s.rdb.AddHook(endsAfterRead{s.rdb})
	if err := s.Update(t.Context(), user, verify); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{one, two} {
		gone(t, s, id)
	}
}

func TestConcurrentUpdatesDoNotUndoEachOther(t *testing.T) {
	s, c := newStore(t)
	id := login(t, s, testkit.Unique("user"))
	c.Advance(time.Minute)
	overtaken := false
	err := s.UpdateOne(t.Context(), id, func(sess *Session) {
		if !overtaken {
			overtaken = true
			if err := s.UpdateOne(t.Context(), id, verify); err != nil {
				t.Error(err)
			}
		}
		sess.AuthenticatedAt = c.Now()
	})
	if got, _ := s.Get(t.Context(), id); err != nil || !got.Verified || !got.AuthenticatedAt.Equal(c.Now()) {
		t.Errorf("session after both updates: %+v, %v", got, err)
	}
}

func TestSessionStoredBeforeTheUpdateCountsAsVerifiedAndAuthenticatedAtItsStart(t *testing.T) {
	s, c := newStore(t)
	id := login(t, s, testkit.Unique("user"))
	began := c.Now().UTC().Add(-time.Minute)
	old := `{"user_id":"u","email":"a@b.example","role":"customer","created_at":"` + began.Format(time.RFC3339Nano) +
		`","expires_at":"` + c.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano) + `"}`
	s.rdb.Set(t.Context(), key(Hash(id)), old, redis.KeepTTL)
	got, err := s.Get(t.Context(), id)
	if err != nil || !got.Verified || !got.AuthenticatedAt.Equal(began) {
		t.Errorf("Get = %+v, %v, want verified and authenticated at %v", got, err, began)
	}
}

func TestListShowsLiveSessionsTheLastUsedFirst(t *testing.T) {
	s, c := newStore(t)
	user := testkit.Unique("user")
	first, second, expired := login(t, s, user), login(t, s, user), login(t, s, user)
	login(t, s, testkit.Unique("user"))
	s.rdb.Del(t.Context(), key(Hash(expired)))
	for id, left := range map[string]time.Duration{first: idle - time.Minute, second: idle - 3*time.Minute} {
		s.rdb.PExpire(t.Context(), key(Hash(id)), left)
	}
	c.Advance(5 * time.Minute) // both began five minutes ago
	open, err := s.List(t.Context(), user)
	if err != nil || len(open) != 2 || open[0].Hash != Hash(first) || open[1].Hash != Hash(second) {
		t.Fatalf("List = %+v, %v", open, err)
	}
	for i, ago := range []time.Duration{time.Minute, 3 * time.Minute} {
		if got := c.Now().Sub(open[i].LastUsedAt); got < ago || got > ago+time.Minute {
			t.Errorf("session %d was last used %v ago, want %v", i, got, ago)
		}
	}
	s.rdb.PExpire(t.Context(), key(Hash(second)), time.Minute)
	if open, _ = s.List(t.Context(), user); !open[1].LastUsedAt.Equal(open[1].CreatedAt) {
		t.Errorf("last used at %v, before its start at %v", open[1].LastUsedAt, open[1].CreatedAt)
	}
}

func TestUsersEndTheirOwnSessionsByHash(t *testing.T) {
	s, _ := newStore(t)
	user, stranger := testkit.Unique("user"), testkit.Unique("user")
	one, two := login(t, s, user), login(t, s, user)
	if err := s.EndHash(t.Context(), stranger, Hash(one)); !errors.Is(err, ErrNotFound) {
		t.Errorf("a stranger's EndHash = %v, want ErrNotFound", err)
	}
	if err := s.EndHash(t.Context(), user, Hash(one)); err != nil {
		t.Fatal(err)
	}
	gone(t, s, one)
	if err := s.EndHash(t.Context(), user, Hash(one)); !errors.Is(err, ErrNotFound) {
		t.Errorf("ending twice = %v, want ErrNotFound", err)
	}
	if _, err := s.Get(t.Context(), two); err != nil {
		t.Errorf("the other session: %v", err)
	}
}

func TestAllSessionsButOneEnd(t *testing.T) {
	s, _ := newStore(t)
	user := testkit.Unique("user")
	kept, one, two := login(t, s, user), login(t, s, user), login(t, s, user)
	if err := s.EndAllBut(t.Context(), user, kept); err != nil {
		t.Fatal(err)
	}
	gone(t, s, one)
	gone(t, s, two)
	if _, err := s.Get(t.Context(), kept); err != nil {
		t.Errorf("the kept session: %v", err)
	}
	if open, err := s.List(t.Context(), user); err != nil || len(open) != 1 {
		t.Errorf("List = %+v, %v", open, err)
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
	if err := s.Update(t.Context(), user, verify); err != nil {
		t.Fatal(err)
	}
	expect("update", two, three)
	if err := s.EndHash(t.Context(), user, Hash(two)); err != nil {
		t.Fatal(err)
	}
	expect("end by hash", two)
	if err := s.EndAll(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	expect("end all", three)
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
