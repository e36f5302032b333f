package broadcast

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"golang.org/x/sync/singleflight"
)

// Feed is the stream of one event. It never skips a change: where it can't continue, it ends the
// watchers' streams. One goroutine reads booking-service's stream (source.go), another writes it to the
// watchers (deliver.go).
type Feed struct {
	hub   *Hub
	event string
	// users counts watchers and callers about to become one; guarded by the hub's lock.
	users  int
	ctx    context.Context
	cancel context.CancelFunc
	// ready is closed when the stream has started, or with err set if it failed.
	ready  chan struct{}
	err    error
	header http.Header

	wake      chan struct{} // tells deliver of new data; capacity 1
	snapshots singleflight.Group

	mu           sync.Mutex
	started      bool
	ended        bool
	history      history
	snapshot     entry // the latest; its id is -1 if there is none
	heartbeatDue bool
	watchers     map[*watcher]struct{}
}

func newFeed(h *Hub, event string) *Feed {
	f := &Feed{
		hub: h, event: event, ready: make(chan struct{}), wake: make(chan struct{}, 1),
		watchers: map[*watcher]struct{}{}, snapshot: entry{id: -1},
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Header returns the header of booking-service's response. It must not be changed.
func (f *Feed) Header() http.Header { return f.header }

// Leave releases a feed returned by Open to which no connection was attached.
func (f *Feed) Leave() { f.hub.leave(f) }

// end ends the feed and its watchers' streams. Callers waiting for the feed to start get err.
func (f *Feed) end(err error) {
	f.hub.mu.Lock()
	f.hub.remove(f)
	f.hub.mu.Unlock()
	f.cancel()
	f.mu.Lock()
	if f.ended {
		f.mu.Unlock()
		return
	}
	f.ended = true
	if !f.started {
		f.err = err
		close(f.ready)
	}
	left := f.watchers
	f.watchers = nil
	f.mu.Unlock()
	if len(left) > 0 {
		slog.InfoContext(f.ctx, "stream ended", "subject", f.hub.subject.name, "event", f.event, "watchers", len(left), "error", err)
	}
	for w := range left {
		w.close()
	}
}
