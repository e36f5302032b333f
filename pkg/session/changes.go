package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

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

// maxTries limits how often an update starts again because the session changed
// meanwhile.
const maxTries = 10

// Update applies change to every live session of a user.
func (s *Store) Update(ctx context.Context, userID string, change func(*Session)) error {
	hashes, err := s.hashes(ctx, userID)
	if err != nil {
		return err
	}
	for _, hash := range hashes {
		if err := s.update(ctx, hash, change); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// UpdateOne applies change to one session. Errors: ErrNotFound, or a Redis
// error.
func (s *Store) UpdateOne(ctx context.Context, id string, change func(*Session)) error {
	if !Valid(id) {
		return ErrNotFound
	}
	return s.update(ctx, Hash(id), change)
}

// update writes only if nobody else has written since the read, so that
// concurrent updates do not undo each other.
func (s *Store) update(ctx context.Context, hash string, change func(*Session)) error {
	var err error = redis.TxFailedErr
	for tries := 0; errors.Is(err, redis.TxFailedErr) && tries < maxTries; tries++ {
		err = s.rdb.Watch(ctx, func(tx *redis.Tx) error {
			sess, err := s.decode(tx.Get(ctx, key(hash)))
			if err != nil {
				return err
			}
			change(&sess)
			value, err := json.Marshal(sess)
			if err != nil {
				return fmt.Errorf("encode session: %w", err)
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				// XX: a session that has expired meanwhile stays so.
				p.SetArgs(ctx, key(hash), value, redis.SetArgs{Mode: "XX", KeepTTL: true})
				p.Publish(ctx, changes, hash)
				return nil
			})
			return err
		}, key(hash))
	}
	if errors.Is(err, redis.Nil) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("update session: %w", err)
	}
	return nil
}
