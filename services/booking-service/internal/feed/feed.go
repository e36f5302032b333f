// Package feed announces new log entries to the replicas by Redis pub/sub. An
// entry may be lost: the replicas also poll the logs' heads.
package feed

import (
	"context"
	"encoding/binary"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

const channel = "fr:log"

// Feed implements eventlog.Feed.
type Feed struct {
	client *redis.Client
	send   chan message
}

type message struct {
	id    eventlog.ID
	entry eventlog.Stored
}

// New returns a feed. Run sends the published entries.
func New(client *redis.Client) *Feed {
	return &Feed{client: client, send: make(chan message, 1024)}
}

// Publish implements eventlog.Feed. It does not wait.
func (f *Feed) Publish(id eventlog.ID, e eventlog.Stored) {
	select {
	case f.send <- message{id, e}:
	default:
	}
}

// Run sends entries until ctx ends.
func (f *Feed) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-f.send:
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			if err := f.client.Publish(ctx, channel, encode(m)).Err(); err != nil {
				slog.Debug("publish log entry failed", "error", err)
			}
			cancel()
		}
	}
}

// Receive calls follow with each received entry until ctx ends.
func (f *Feed) Receive(ctx context.Context, follow func(eventlog.ID, eventlog.Stored)) error {
	sub := f.client.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	messages := sub.Channel(redis.WithChannelSize(4096))
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-messages:
			if !ok {
				return nil
			}
			if id, e, ok := decode(m.Payload); ok {
				follow(id, e)
			}
		}
	}
}

// encode returns the log's id and the sequence number, 8 bytes each, and the
// entry.
func encode(m message) []byte {
	data := make([]byte, 16, 16+len(m.entry.Data))
	binary.BigEndian.PutUint64(data, uint64(m.id))
	binary.BigEndian.PutUint64(data[8:], uint64(m.entry.Seq))
	return append(data, m.entry.Data...)
}

func decode(payload string) (id eventlog.ID, e eventlog.Stored, ok bool) {
	data := []byte(payload)
	if len(data) < 16 {
		return 0, e, false
	}
	return eventlog.ID(binary.BigEndian.Uint64(data)), eventlog.Stored{Seq: int64(binary.BigEndian.Uint64(data[8:])), Data: data[16:]}, true
}
