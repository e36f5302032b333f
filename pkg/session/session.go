// Package session stores log-in sessions in Redis: auth-service creates and
// ends them, the gateway reads them. Redis holds only a hash of each id, so an
// attacker who reads Redis can't use the sessions.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// ErrNotFound means that the session does not exist, was ended, or has expired.
var ErrNotFound = errors.New("session: not found")

// idBytes is the number of random bytes in an id: 256 bits.
const idBytes = 32

// Session is a log-in.
type Session struct {
	UserID    string    `json:"user_id"`
	Email     string    `json:"email"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is the absolute end; an idle session ends earlier.
	ExpiresAt time.Time `json:"expires_at"`
}

// Store holds the sessions in one Redis.
type Store struct {
	// Clock is the system clock unless a test sets it.
	Clock clock.Clock

	rdb *redis.Client
	// reads sends concurrent look-ups in one round trip, at a third of the CPU
	// cost of separate ones.
	reads redis.Cmdable
	idle  time.Duration
}

// NewStore returns the sessions in rdb. A session ends when unused for idle.
func NewStore(rdb *redis.Client, idle time.Duration) *Store {
	s := &Store{Clock: clock.System{}, rdb: rdb, reads: rdb, idle: idle}
	if pipeline, err := rdb.AutoPipeline(); err == nil { // closed with rdb
		s.reads = pipeline
	}
	return s
}

// Valid reports whether id has the form of a session id. Other values need no
// Redis look-up.
func Valid(id string) bool {
	if len(id) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return false
	}
	for _, c := range []byte(id) {
		ok := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
		if !ok {
			return false
		}
	}
	return true
}

// Hash returns the hex SHA-256 of an id, under which the session is stored and
// may be cached.
func Hash(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

func key(hash string) string       { return "sess:" + hash }
func userKey(userID string) string { return "sess-user:" + userID }

// Create starts a session of the user in s that lasts at most absolute. It
// returns the session's id, which is stored nowhere, and the session with its
// times.
func (s *Store) Create(ctx context.Context, sess Session, absolute time.Duration) (string, Session, error) {
	var raw [idBytes]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", Session{}, fmt.Errorf("session id: %w", err)
	}
	id := base64.RawURLEncoding.EncodeToString(raw[:])
	now := s.Clock.Now()
	sess.CreatedAt, sess.ExpiresAt = now, now.Add(absolute)
	value, err := json.Marshal(sess)
	if err != nil {
		return "", Session{}, fmt.Errorf("encode session: %w", err)
	}
	hash := Hash(id)
	_, err = s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key(hash), value, min(s.idle, absolute))
		p.ZRemRangeByScore(ctx, userKey(sess.UserID), "-inf", strconv.FormatInt(now.Unix(), 10))
		p.ZAdd(ctx, userKey(sess.UserID), redis.Z{Score: float64(sess.ExpiresAt.Unix()), Member: hash})
		p.ExpireGT(ctx, userKey(sess.UserID), absolute)
		p.ExpireNX(ctx, userKey(sess.UserID), absolute)
		return nil
	})
	if err != nil {
		return "", Session{}, fmt.Errorf("create session: %w", err)
	}
	return id, sess, nil
}

// Get returns a live session. Errors: ErrNotFound, or a Redis error.
func (s *Store) Get(ctx context.Context, id string) (Session, error) {
	if !Valid(id) {
		return Session{}, ErrNotFound
	}
	return s.decode(s.reads.Get(ctx, key(Hash(id))))
}

// Extend returns a live session and resets its idle timeout. This makes Redis
// write to disk: call it once per ExtendEvery. Errors: as Get.
func (s *Store) Extend(ctx context.Context, id string) (Session, error) {
	if !Valid(id) {
		return Session{}, ErrNotFound
	}
	k := key(Hash(id))
	sess, err := s.decode(s.reads.GetEx(ctx, k, s.idle))
	if err == nil && sess.ExpiresAt.Sub(s.Clock.Now()) < s.idle {
		// The idle timeout now exceeds the absolute end. If this fails, decode
		// still refuses the session in time.
		s.rdb.ExpireAt(ctx, k, sess.ExpiresAt)
	}
	return sess, err
}

// ExtendEvery is how often to extend a session in use: a tenth of the idle
// timeout.
func (s *Store) ExtendEvery() time.Duration { return s.idle / 10 }

func (s *Store) decode(answer *redis.StringCmd) (Session, error) {
	value, err := answer.Bytes()
	if err != nil {
		return Session{}, notFoundOr("get session", err)
	}
	var sess Session
	if err := json.Unmarshal(value, &sess); err != nil {
		return Session{}, fmt.Errorf("decode session: %w", err)
	}
	if !s.Clock.Now().Before(sess.ExpiresAt) {
		return Session{}, ErrNotFound
	}
	return sess, nil
}

// changes is the channel that announces the hashes of ended or changed
// sessions.
const changes = "session-changes"

// Changes calls changed with the hash of each session that ended or changed,
// until ctx ends. It may miss some while Redis is unavailable, and calls missed
// whenever the subscription starts or restarts.
func (s *Store) Changes(ctx context.Context, changed func(hash string), missed func()) error {
	sub := s.rdb.Subscribe(ctx, changes)
	defer func() { _ = sub.Close() }()
	messages := sub.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-messages:
			if !ok {
				return nil
			}
			if message, ok := m.(*redis.Message); ok {
				changed(message.Payload)
			} else {
				missed()
			}
		}
	}
}

// End ends one session. A missing session is not an error.
func (s *Store) End(ctx context.Context, id string) error {
	if !Valid(id) {
		return nil
	}
	hash := Hash(id)
	value, err := s.rdb.GetDel(ctx, key(hash)).Bytes()
	s.rdb.Publish(ctx, changes, hash)
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	var sess Session
	if json.Unmarshal(value, &sess) == nil {
		// The session is gone already; a stale member of the set is harmless.
		s.rdb.ZRem(ctx, userKey(sess.UserID), hash)
	}
	return nil
}

// EndAll ends every session of a user.
func (s *Store) EndAll(ctx context.Context, userID string) error {
	hashes, err := s.rdb.ZRange(ctx, userKey(userID), 0, -1).Result()
	if err != nil {
		return fmt.Errorf("sessions of user: %w", err)
	}
	if len(hashes) == 0 {
		return nil
	}
	keys := make([]string, len(hashes))
	members := make([]any, len(hashes))
	for i, h := range hashes {
		keys[i], members[i] = key(h), h
	}
	_, err = s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, keys...)
		p.ZRem(ctx, userKey(userID), members...)
		for _, h := range hashes {
			p.Publish(ctx, changes, h)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// SetRole writes the role into every live session of a user. Calls for the same
// user must not run concurrently.
func (s *Store) SetRole(ctx context.Context, userID, role string) error {
	hashes, err := s.rdb.ZRange(ctx, userKey(userID), 0, -1).Result()
	if err != nil {
		return fmt.Errorf("sessions of user: %w", err)
	}
	for _, h := range hashes {
		value, err := s.rdb.Get(ctx, key(h)).Bytes()
		if errors.Is(err, redis.Nil) {
			s.rdb.ZRem(ctx, userKey(userID), h)
			continue
		}
		if err != nil {
			return fmt.Errorf("read session: %w", err)
		}
		var sess Session
		if err := json.Unmarshal(value, &sess); err != nil {
			return fmt.Errorf("decode session: %w", err)
		}
		sess.Role = role
		if value, err = json.Marshal(sess); err != nil {
			return fmt.Errorf("encode session: %w", err)
		}
		// XX: a session that has ended meanwhile stays ended.
		args := redis.SetArgs{Mode: "XX", KeepTTL: true}
		if err := s.rdb.SetArgs(ctx, key(h), value, args).Err(); err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("write session: %w", err)
		}
		s.rdb.Publish(ctx, changes, h)
	}
	return nil
}

func notFoundOr(what string, err error) error {
	if errors.Is(err, redis.Nil) {
		return ErrNotFound
	}
	return fmt.Errorf("%s: %w", what, err)
}
