// Package broadcast shares one stream of an event, of its seats or its queue, among its watchers:
// booking-service sends every change once to a gateway, and the gateway writes the same bytes to each watcher.
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

// unusedTimeout is how long a feed continues without watchers, so that a client that reloads the page can
// resume.
const unusedTimeout = 5 * time.Second

// Subject is what streams are about.
type Subject struct {
	name     string
	watchers prometheus.Gauge
	cutOff   prometheus.Counter
}

// Subjects.
var (
	Seats = &Subject{
		"seats",
		promauto.NewGauge(prometheus.GaugeOpts{Name: "seat_stream_watchers", Help: "Open seat streams."}),
		promauto.NewCounter(prometheus.CounterOpts{
			Name: "seat_stream_cut_off_total", Help: "Seat streams ended because the client was too slow.",
		}),
	}
	Queue = &Subject{
		"queue",
		promauto.NewGauge(prometheus.GaugeOpts{Name: "queue_stream_watchers", Help: "Open queue streams."}),
		promauto.NewCounter(prometheus.CounterOpts{
			Name: "queue_stream_cut_off_total", Help: "Queue streams ended because the client was too slow.",
		}),
	}
)

// Fetch requests an event's stream or a snapshot from booking-service. lastID, if not empty, is the
// Last-Event-ID; only a stream has one.
type Fetch func(ctx context.Context, event, lastID string) (*upstream.Response, error)

// Refusal is a response of booking-service other than a stream. Callers that wait for the stream to start
// get it as the error.
type Refusal struct {
	Status int
	Header http.Header
	Body   []byte
}

// Error returns the status text.
func (r *Refusal) Error() string { return "stream refused: " + http.StatusText(r.Status) }

// Hub holds a feed for each watched event.
type Hub struct {
	subject          *Subject
	stream, snapshot Fetch

	mu     sync.Mutex
	feeds  map[string]*Feed
	closed bool
}

// NewHub returns a hub of streams about a subject. Stream and snapshot fetch from booking-service; a snapshot is
// JSON whose version is its position in the event's log.
func NewHub(subject *Subject, stream, snapshot Fetch) *Hub {
	return &Hub{subject: subject, stream: stream, snapshot: snapshot, feeds: map[string]*Feed{}}
}

// Open returns the feed of an event, which has started. The caller must call Leave or Attach. A newly
// opened feed begins after since if booking-service still has that position; a negative since means
// anywhere. Errors: a *Refusal, ctx's error, or a problem.
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

// feed returns the feed of an event and counts one more user.
func (h *Hub) feed(event string, since int64) (*Feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, problem.Unavailable(errors.New("gateway is stopping"))
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
		f.end(problem.Unavailable(errors.New("gateway is stopping")))
	}
}

// leave removes a user from a feed. The feed ends unusedTimeout after its last user has left.
func (h *Hub) leave(f *Feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.users--; f.users > 0 {
		return
	}
	time.AfterFunc(unusedTimeout, func() {
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

// remove unregisters a feed, so that the next watcher opens a new one.
func (h *Hub) remove(f *Feed) {
	if h.feeds[f.event] == f {
		delete(h.feeds, f.event)
	}
}
