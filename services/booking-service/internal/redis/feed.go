package redis

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

const channel = "fr:deltas"

// Feed implements booking.Feed by Redis pub/sub.
type Feed struct {
	client *redis.Client
	send   chan booking.Delta
}

// NewFeed returns a feed; what is published is sent by Run.
func NewFeed(client *redis.Client) *Feed {
	return &Feed{client: client, send: make(chan booking.Delta, 4096)}
}

// PublishDelta implements booking.Feed. It does not wait; what does not fit is
// dropped, and the receivers see the gap.
func (f *Feed) PublishDelta(d booking.Delta) {
	select {
	case f.send <- d:
	default:
	}
}

// Run sends deltas until ctx ends.
func (f *Feed) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case d := <-f.send:
			deltas := []booking.Delta{d}
			for len(f.send) > 0 && len(deltas) < 256 {
				deltas = append(deltas, <-f.send)
			}
			f.publish(ctx, deltas)
		}
	}
}

func (f *Feed) publish(ctx context.Context, deltas []booking.Delta) {
	var message []byte
	for i := range deltas {
		message = appendDelta(message, &deltas[i])
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := f.client.Publish(ctx, channel, message).Err(); err != nil {
		slog.Debug("deltas are lost to the other replicas until they look", "error", err)
	}
}

// Receive hands every delta of another replica to apply until ctx ends.
func (f *Feed) Receive(ctx context.Context, self string, apply func(booking.Delta)) error {
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
			for rest := []byte(m.Payload); len(rest) > 0; {
				var d booking.Delta
				var err error
				if d, rest, err = decodeDelta(rest); err != nil {
					slog.Warn("a delta cannot be read; is another version running beside?", "error", err)
					break
				}
				if d.Origin != self {
					apply(d)
				}
			}
		}
	}
}
