package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

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

// EndHash ends the session of a user that has this Hash. Error: ErrNotFound if
// the user has no such session.
func (s *Store) EndHash(ctx context.Context, userID, hash string) error {
	hashes, err := s.hashes(ctx, userID)
	if err != nil {
		return err
	}
	if !slices.Contains(hashes, hash) {
		return ErrNotFound
	}
	ended, err := s.end(ctx, userID, []string{hash})
	if err == nil && ended == 0 {
		return ErrNotFound // it had expired
	}
	return err
}

// EndAll ends every session of a user.
func (s *Store) EndAll(ctx context.Context, userID string) error { return s.EndAllBut(ctx, userID, "") }

// EndAllBut ends every session of a user, except the one with this id.
func (s *Store) EndAllBut(ctx context.Context, userID, id string) error {
	hashes, err := s.hashes(ctx, userID)
	if err != nil {
		return err
	}
	kept := Hash(id)
	_, err = s.end(ctx, userID, slices.DeleteFunc(hashes, func(h string) bool { return h == kept }))
	return err
}

// end ends sessions of a user and returns how many of them were stored.
func (s *Store) end(ctx context.Context, userID string, hashes []string) (int64, error) {
	if len(hashes) == 0 {
		return 0, nil
	}
	keys := make([]string, len(hashes))
	members := make([]any, len(hashes))
	for i, h := range hashes {
		keys[i], members[i] = key(h), h
	}
	var deleted *redis.IntCmd
	_, err := s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		deleted = p.Del(ctx, keys...)
		p.ZRem(ctx, userKey(userID), members...)
		for _, h := range hashes {
			p.Publish(ctx, changes, h)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return deleted.Val(), nil
}
