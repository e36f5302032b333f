package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Open is a live session in a list.
type Open struct {
	Session
	// Hash names the session: see the function Hash.
	Hash string
	// LastUsedAt is when the idle timeout was reset last: up to ExtendEvery
	// before the last use.
	LastUsedAt time.Time
}

// List returns the live sessions of a user, the last used first.
func (s *Store) List(ctx context.Context, userID string) ([]Open, error) {
	hashes, err := s.hashes(ctx, userID)
	if err != nil || len(hashes) == 0 {
		return nil, err
	}
	values := make([]*redis.StringCmd, len(hashes))
	left := make([]*redis.DurationCmd, len(hashes))
	_, err = s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, h := range hashes {
			values[i], left[i] = p.Get(ctx, key(h)), p.PTTL(ctx, key(h))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var open []Open
	for i, h := range hashes {
		sess, err := s.decode(values[i])
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		used := s.Clock.Now().Add(left[i].Val() - s.idle)
		if used.Before(sess.CreatedAt) {
			used = sess.CreatedAt
		}
		open = append(open, Open{sess, h, used})
	}
	slices.SortFunc(open, func(a, b Open) int {
		return cmp.Or(b.LastUsedAt.Compare(a.LastUsedAt), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Hash, b.Hash))
	})
	return open, nil
}

// hashes returns the hashes of a user's sessions, some of which may have
// expired.
func (s *Store) hashes(ctx context.Context, userID string) ([]string, error) {
	hashes, err := s.rdb.ZRange(ctx, userKey(userID), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("sessions of user: %w", err)
	}
	return hashes, nil
}
