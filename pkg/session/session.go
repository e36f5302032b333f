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
	UserID string `json:"user_id"`
	Email  string `json:"email"`
	Role   string `json:"role"`
	// Verified means that the user has verified the e-mail. A session stored
	// before this field existed counts as verified: it could pay when it began.
	Verified  bool      `json:"verified"`
	CreatedAt time.Time `json:"created_at"`
	// AuthenticatedAt is when the user last entered the password or second
	// factor: CreatedAt until then.
	AuthenticatedAt time.Time `json:"authenticated_at"`
	// ExpiresAt is the absolute end; an idle session ends earlier.
	ExpiresAt time.Time `json:"expires_at"`
	// UserAgent and Address are those of the log-in.
	UserAgent string `json:"user_agent,omitempty"`
	Address   string `json:"address,omitempty"`
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
	sess.CreatedAt, sess.AuthenticatedAt, sess.ExpiresAt = now, now, now.Add(absolute)
	value, err := json.Marshal(sess)
	if err != nil {
		return "", Session{}, fmt.Errorf("encode session: %w", err)
	}
	hash := Hash(id)
	_, err = s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key(hash), value, s.idle)
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

// Extend returns a live session and resets its idle timeout, which may exceed
// the absolute end: List derives the last use from it. This makes Redis write
// to disk: call it once per ExtendEvery. Errors: as Get.
func (s *Store) Extend(ctx context.Context, id string) (Session, error) {
	if !Valid(id) {
		return Session{}, ErrNotFound
	}
	return s.decode(s.reads.GetEx(ctx, key(Hash(id)), s.idle))
}

// ExtendEvery is how often to extend a session in use: a tenth of the idle
// timeout.
func (s *Store) ExtendEvery() time.Duration { return s.idle / 10 }

func (s *Store) decode(answer *redis.StringCmd) (Session, error) {
	value, err := answer.Bytes()
	if err != nil {
		return Session{}, notFoundOr("get session", err)
	}
	return s.parse(value)
}

// parse decodes a stored session. Errors: ErrNotFound if it has expired, or a
// JSON error.
func (s *Store) parse(value []byte) (Session, error) {
	sess := Session{Verified: true}
	if err := json.Unmarshal(value, &sess); err != nil {
		return Session{}, fmt.Errorf("decode session: %w", err)
	}
	if !s.Clock.Now().Before(sess.ExpiresAt) {
		return Session{}, ErrNotFound
	}
	if sess.AuthenticatedAt.IsZero() {
		sess.AuthenticatedAt = sess.CreatedAt // stored before the field existed
	}
	return sess, nil
}

func notFoundOr(what string, err error) error {
	if errors.Is(err, redis.Nil) {
		return ErrNotFound
	}
	return fmt.Errorf("%s: %w", what, err)
}
