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
	// linger is how long a feed goes on without watchers: who reloads the page
	// continues.
	linger = 5 * time.Second
	// silence is how long booking-service may say nothing: three heartbeats.
	silence = 45 * time.Second
	// reopenPause is the least time between two attempts to open a stream.
	reopenPause = time.Second
	// snapshotTimeout bounds the fetch that several watchers may wait for.
	snapshotTimeout = 10 * time.Second
	// maxSnapshots are fetched for a watcher until one can be continued.
	maxSnapshots = 3
	// catchUpSize may follow a snapshot before a new one is fetched, in bytes.
	catchUpSize = 64 << 10
	// maxRefusal bounds the body of a refusal, in bytes.
	maxRefusal = 64 << 10
)

// Feed is the stream of one event. It never leaves out a change: where it
// can't continue, it ends the watchers' streams.
type Feed struct {
	hub   *Hub
	event string
	// users are the watchers and those who are about to be; the hub's lock guards it.
	users  int
	ctx    context.Context
	cancel context.CancelFunc
	// ready is closed when the stream has begun or err says why not.
	ready  chan struct{}
	err    error
	header http.Header

	news   chan struct{} // has room for one
	flight singleflight.Group

	mu       sync.Mutex
	began    bool
	ended    bool
	history  history
	snapshot entry
	beat     bool // a heartbeat is to be delivered
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

// Header is that of booking-service's answer. It must not be changed.
func (f *Feed) Header() http.Header { return f.header }

// Leave is for who has opened the feed and attaches nothing.
func (f *Feed) Leave() { f.hub.leave(f) }

// run reads booking-service's stream, again and again, until nobody watches or
// no replica has it.
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
		slog.InfoContext(f.ctx, "seat stream broke off, opening it again", "event", f.event, "error", err)
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
		return problem.Unavailable(fmt.Errorf("answer %d broke off: %w", resp.Status, err))
	}
	return &Refusal{Status: resp.Status, Header: resp.Header, Body: body}
}

// read takes in one stream, which was asked for after since, until it ends.
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

// take takes in a block of a stream that was asked for after since.
func (f *Feed) take(b block, since int64, header http.Header) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	if !f.began {
		// Anything but a snapshot says that the stream continues after since.
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
		// A replica that is behind begins with a snapshot, or changes, that are known.
		f.history.add(b.id, b.data)
		if b.snapshot && b.id > f.snapshot.id {
			f.snapshot = entry{id: b.id, data: b.data}
		}
	}
	select {
	case f.news <- struct{}{}:
	default: // they are about to be looked at
	}
}

// end ends the feed and its watchers' streams. Those who wait for the feed to
// begin are told err.
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

// Start is where a watcher begins.
type Start struct {
	data  []byte
	since int64
}

// Start returns where a watcher that has everything up to since begins: there,
// or with a snapshot. Errors: a *Refusal, that of ctx, or a problem.
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
	return Start{}, problem.Unavailable(errors.New("no snapshot is as new as the stream"))
}

// fetchSnapshot keeps the seats as they are now for those who come late.
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
		return problem.Unavailable(fmt.Errorf("snapshot broke off: %w", err))
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

// Attach makes a connection, on which an answer's header has been written, a
// watcher that begins at start. The feed closes the connection when the stream
// ends, and calls done.
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

// catchUp writes data, and then whatever is missing, to a watcher that is busy
// for that long. It waits for the client, unlike deliver.
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

// deliver writes what is new to all watchers that are not busy, until the feed
// ends. One goroutine does it without waiting for any client, so that thousands
// need not be woken for each change. It rests for as long as it has worked:
// what comes in the meantime is written together, and others get the processor.
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

// round delivers what follows a position, and returns the position that it
// leads to; more is false if there was nothing.
func (f *Feed) round(at int64) (upTo int64, more bool) {
	f.mu.Lock()
	data, upTo, ok := f.history.after(at)
	if !ok {
		// More than is remembered came during a round.
		at = f.history.from
		data, upTo, _ = f.history.after(at)
	}
	heartbeat := data == nil && f.beat
	f.beat = false // a change is as good
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
		// One that is elsewhere in the stream, or slow, goes on by itself.
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
