// Package broadcast shares one stream of an event's seats among all who watch
// it: booking-service sends every change once to a gateway, and the gateway
// writes the same bytes to each of its watchers.
package broadcast

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

var (
	watching = promauto.NewGauge(prometheus.GaugeOpts{Name: "seat_stream_watchers", Help: "Open seat streams."})
	cutOff   = promauto.NewCounter(prometheus.CounterOpts{
		Name: "seat_stream_cut_off_total", Help: "Seat streams ended because their client did not keep up.",
	})
)

// Fetch asks booking-service about an event. lastID, if any, is the
// Last-Event-ID; only a stream has one.
type Fetch func(ctx context.Context, event, lastID string) (*upstream.Response, error)

// Refusal is an answer of booking-service instead of a stream. It is for those
// who wait for the stream to begin.
type Refusal struct {
	Status int
	Header http.Header
	Body   []byte
}

// Error says the status.
func (r *Refusal) Error() string { return "stream refused: " + http.StatusText(r.Status) }

// Hub has a feed for each event that is watched.
type Hub struct {
	stream, seats Fetch

	mu     sync.Mutex
	feeds  map[string]*Feed
	closed bool
}

// NewHub returns a hub that gets streams and snapshots by stream and seats.
func NewHub(stream, seats Fetch) *Hub {
	return &Hub{stream: stream, seats: seats, feeds: map[string]*Feed{}}
}

// Open returns the feed of an event, which has begun; the caller must Leave it
// or Attach a connection. A feed that is opened for this call begins after
// since, if booking-service remembers; negative: anywhere. Errors: a *Refusal,
// that of ctx, or a problem.
func (h *Hub) Open(ctx context.Context, event string, since int64) (*Feed, error) {
	f, err := h.feed(event, since)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		f.Leave()
		return nil, ctx.Err()
	case <-f.ready:
	}
	if f.err != nil {
		f.Leave()
		return nil, f.err
	}
	return f, nil
}

// feed returns the feed of an event with one more user.
func (h *Hub) feed(event string, since int64) (*Feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, problem.Unavailable(errors.New("the gateway is stopping"))
	}
	f := h.feeds[event]
	if f == nil {
		f = newFeed(h, event)
		h.feeds[event] = f
		go f.run(since)
		go f.deliver()
	}
	f.users++
	return f, nil
}

// Close ends all streams.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	var all []*Feed
	for _, f := range h.feeds {
		all = append(all, f)
	}
	h.mu.Unlock()
	for _, f := range all {
		f.end(problem.Unavailable(errors.New("the gateway is stopping")))
	}
}

// leave takes a user from a feed, which ends some time after the last.
func (h *Hub) leave(f *Feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.users--; f.users > 0 {
		return
	}
	time.AfterFunc(linger, func() {
		h.mu.Lock()
		unused := f.users == 0
		if unused {
			h.remove(f)
		}
		h.mu.Unlock()
		if unused {
			f.end(nil)
		}
	})
}

// remove makes the next watcher open another feed.
func (h *Hub) remove(f *Feed) {
	if h.feeds[f.event] == f {
		delete(h.feeds, f.event)
	}
}
