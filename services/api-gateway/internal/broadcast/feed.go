package broadcast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

const (
	// linger is how long a feed continues without watchers, so that a client
	// that reloads the page can resume.
	linger = 5 * time.Second
	// silence is the timeout for data from booking-service: three heartbeats.
	silence = 45 * time.Second
	// reopenPause is the minimum time between two attempts to open a stream.
	reopenPause = time.Second
	// snapshotTimeout limits a snapshot fetch, which several watchers may
	// share.
	snapshotTimeout = 10 * time.Second
	// maxSnapshots is how many snapshots are fetched for a watcher before
	// giving up on one that the history can continue.
	maxSnapshots = 3
	// catchUpSize is how many bytes may follow a snapshot before a new one is
	// fetched.
	catchUpSize = 64 << 10
	// maxRefusal limits the body of a refusal, in bytes.
	maxRefusal = 64 << 10
)

// Feed is the stream of one event. It never skips a change: where it can't
// continue, it ends the watchers' streams.
type Feed struct {
	hub   *Hub
	event string
	// users counts watchers and callers about to become one; guarded by the
	// hub's lock.
	users  int
	ctx    context.Context
	cancel context.CancelFunc
	// ready is closed when the stream has begun, or with err set if it failed.
	ready  chan struct{}
	err    error
	header http.Header

	news   chan struct{} // capacity 1
	flight singleflight.Group

	mu       sync.Mutex
	began    bool
	ended    bool
	history  history
	snapshot entry
	beat     bool // a heartbeat is due
	watchers map[*watcher]struct{}
}

func newFeed(h *Hub, event string) *Feed {
	f := &Feed{
		hub: h, event: event, ready: make(chan struct{}), news: make(chan struct{}, 1),
		watchers: map[*watcher]struct{}{}, snapshot: entry{id: -1},
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Header returns the header of booking-service's response. It must not be
// changed.
func (f *Feed) Header() http.Header { return f.header }

// Leave releases a feed returned by Open to which no connection was attached.
func (f *Feed) Leave() { f.hub.leave(f) }

// run reads booking-service's stream, reopening it as needed, until nobody
// watches or no replica has it.
func (f *Feed) run(since int64) {
	lastID := ""
	if since >= 0 {
		lastID = strconv.FormatInt(since, 10)
	}
	for {
		opened := time.Now()
		ctx, cancel := context.WithCancel(f.ctx)
		resp, err := f.hub.stream(ctx, f.event, lastID)
		if err == nil && resp.Status != http.StatusOK {
			err = refusal(resp)
		}
		if err != nil {
			cancel()
			f.end(err)
			return
		}
		err = f.read(resp, since, cancel)
		cancel()
		if f.ctx.Err() != nil {
			return
		}
		slog.InfoContext(f.ctx, "seat stream interrupted, reopening", "event", f.event, "error", err)
		f.mu.Lock()
		began, head := f.began, f.history.head
		f.mu.Unlock()
		if !began {
			f.end(problem.Unavailable(err))
			return
		}
		since, lastID = head, strconv.FormatInt(head, 10)
		select {
		case <-f.ctx.Done():
			return
		case <-time.After(time.Until(opened.Add(reopenPause))):
		}
	}
}

func refusal(resp *upstream.Response) error {
	defer resp.Close()
	body, whole, err := resp.ReadAll(maxRefusal)
	if err != nil || !whole {
		return problem.Unavailable(fmt.Errorf("response %d interrupted: %w", resp.Status, err))
	}
	return &Refusal{Status: resp.Status, Header: resp.Header, Body: body}
}

// read consumes one stream, requested after since, until it ends.
func (f *Feed) read(resp *upstream.Response, since int64, cancel func()) error {
	defer resp.Close()
	silent := time.AfterFunc(silence, cancel)
	defer silent.Stop()
	in := readBlocks(resp.Body())
	for {
		b, err := in.next()
		if err != nil {
			return err
		}
		silent.Reset(silence)
		f.take(b, since, resp.Header)
	}
}

// take processes a block of a stream that was requested after since.
func (f *Feed) take(b block, since int64, header http.Header) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	if !f.began {
		// Anything but a snapshot means that the stream continues after since.
		switch {
		case b.snapshot:
			f.history.start(b.id)
		case since >= 0:
			f.history.start(since)
		case b.data == nil:
			return // not begun yet
		default:
			f.history.start(b.id - 1)
		}
		f.began, f.header = true, header
		close(f.ready)
	}
	switch {
	case b.comment:
		f.beat = true
	case b.data == nil:
		return
	default:
		// A lagging replica starts with a snapshot or changes that are already
		// known.
		f.history.add(b.id, b.data)
		if b.snapshot && b.id > f.snapshot.id {
			f.snapshot = entry{id: b.id, data: b.data}
		}
	}
	select {
	case f.news <- struct{}{}:
	default: // deliver is already signalled
	}
}

// end ends the feed and its watchers' streams. Callers waiting for the feed to
// begin get err.
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
	if !f.began {
		f.err = err
		close(f.ready)
	}
	left := f.watchers
	f.watchers = nil
	f.mu.Unlock()
	if len(left) > 0 {
		slog.InfoContext(f.ctx, "seat stream ended", "event", f.event, "watchers", len(left), "error", err)
	}
	for w := range left {
		w.close()
	}
}

// Start is the position from which a watcher begins.
type Start struct {
	data  []byte
	since int64
}

// Start returns where a watcher that has everything up to since begins: there,
// or with a snapshot. Errors: a *Refusal, ctx's error, or a problem.
func (f *Feed) Start(ctx context.Context, since int64) (Start, error) {
	for range maxSnapshots {
		f.mu.Lock()
		covered, snap := f.history.covers(since), f.snapshot
		kept := snap.id >= f.history.from && f.history.sizeAfter(snap.id) <= catchUpSize
		f.mu.Unlock()
		if covered {
			return Start{since: since}, nil
		}
		if kept {
			return Start{snap.data, snap.id}, nil
		}
		fetched := f.flight.DoChan("", func() (any, error) { return nil, f.fetchSnapshot() })
		select {
		case <-ctx.Done():
			return Start{}, ctx.Err()
		case got := <-fetched:
			if got.Err != nil {
				return Start{}, got.Err
			}
		}
	}
	return Start{}, problem.Unavailable(errors.New("no snapshot is recent enough for the stream"))
}

// fetchSnapshot stores a current snapshot of the seats for late watchers.
func (f *Feed) fetchSnapshot() error {
	ctx, cancel := context.WithTimeout(f.ctx, snapshotTimeout)
	defer cancel()
	resp, err := f.hub.seats(ctx, f.event, "")
	if ctx.Err() != nil {
		err = problem.Unavailable(ctx.Err())
	}
	if err != nil {
		return err
	}
	if resp.Status != http.StatusOK {
		return refusal(resp)
	}
	defer resp.Close()
	body, whole, err := resp.ReadAll(maxFrame)
	if err != nil || !whole {
		return problem.Unavailable(fmt.Errorf("snapshot interrupted: %w", err))
	}
	var seats struct {
		Version int64 `json:"version"`
	}
	if err := json.Unmarshal(body, &seats); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if seats.Version > f.snapshot.id {
		f.snapshot = entry{id: seats.Version, data: snapshotFrame(seats.Version, body)}
	}
	return nil
}

// Attach turns a connection, on which a response header has been written, into
// a watcher that begins at start. The feed closes the connection when the
// stream ends, and calls done.
func (f *Feed) Attach(conn net.Conn, start Start, done func()) {
	watching.Inc()
	w := newWatcher(conn, start.since, func() {
		watching.Dec()
		done()
		f.Leave()
	})
	f.mu.Lock()
	if f.ended {
		f.mu.Unlock()
		w.close()
		return
	}
	f.watchers[w] = struct{}{}
	f.mu.Unlock()
	go f.catchUp(w, start.data)
	go func() {
		w.wait()
		f.drop(w)
	}()
}

// drop ends a watcher's stream.
func (f *Feed) drop(w *watcher) {
	f.mu.Lock()
	delete(f.watchers, w)
	f.mu.Unlock()
	w.close()
}

// catchUp writes data, then everything still missing, to a watcher, which stays
// busy meanwhile. Unlike deliver, it waits for the client.
func (f *Feed) catchUp(w *watcher, data []byte) {
	for {
		if err := w.write(data); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				cutOff.Inc()
			}
			f.drop(w)
			return
		}
		f.mu.Lock()
		next, upTo, ok := f.history.after(w.since)
		w.since = upTo
		w.busy = ok && next != nil
		f.mu.Unlock()
		if !ok {
			cutOff.Inc()
			f.drop(w)
			return
		}
		if next == nil {
			return
		}
		data = next
	}
}

// deliver writes new data to all watchers that are not busy, until the feed
// ends. A single goroutine does it without waiting for any client, so that
// thousands of goroutines need not wake for each change. It pauses for as long
// as it has worked: data that arrives meanwhile is written together, and other
// goroutines get the CPU.
func (f *Feed) deliver() {
	select {
	case <-f.ctx.Done():
		return
	case <-f.ready:
	}
	f.mu.Lock()
	at := f.history.from
	f.mu.Unlock()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-f.news:
		}
		for {
			begin := time.Now()
			next, more := f.round(at)
			if !more {
				break
			}
			at = next
			pause(f.ctx, time.Since(begin))
		}
	}
}

// round delivers the data after position at. It returns the position reached;
// more is false if there was nothing to deliver.
func (f *Feed) round(at int64) (upTo int64, more bool) {
	f.mu.Lock()
	data, upTo, ok := f.history.after(at)
	if !ok {
		// The history has dropped data since the previous round.
		at = f.history.from
		data, upTo, _ = f.history.after(at)
	}
	heartbeat := data == nil && f.beat
	f.beat = false // a change serves as a heartbeat
	if heartbeat {
		data = []byte(": heartbeat\n\n")
	}
	if data == nil {
		f.mu.Unlock()
		return upTo, false
	}
	idle := make([]*watcher, 0, len(f.watchers))
	for w := range f.watchers {
		if !w.busy {
			w.busy = true
			idle = append(idle, w)
		}
	}
	f.mu.Unlock()

	out := newWriter(data)
	written := idle[:0]
	for _, w := range idle {
		var rest []byte
		if w.since == at || heartbeat {
			var err error
			if rest, err = out.try(w); err != nil {
				f.drop(w)
				continue
			}
			if !heartbeat {
				w.since = upTo
			}
		}
		// A watcher at another position, or a slow one, catches up on its own.
		if len(rest) > 0 || w.since < upTo {
			go f.catchUp(w, rest)
			continue
		}
		written = append(written, w)
	}
	f.mu.Lock()
	for _, w := range written {
		w.busy = false
	}
	f.mu.Unlock()
	return upTo, true
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
