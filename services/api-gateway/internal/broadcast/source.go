package broadcast

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

const (
	// readTimeout is how long booking-service may send nothing: three heartbeats.
	readTimeout = 45 * time.Second
	// minReopenInterval is the minimum time between two attempts to open a stream.
	minReopenInterval = time.Second
	// maxRefusal limits the body of a refusal, in bytes.
	maxRefusal = 64 << 10
)

// run reads booking-service's stream, reopening it as needed, until nobody watches or no replica has it.
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
		slog.InfoContext(f.ctx, "stream interrupted, reopening", "subject", f.hub.subject.name, "event", f.event,
			"error", err)
		f.mu.Lock()
		started, head := f.started, f.history.head
		f.mu.Unlock()
		if !started {
			f.end(problem.Unavailable(err))
			return
		}
		since, lastID = head, strconv.FormatInt(head, 10)
		if !clock.Sleep(f.ctx, time.Until(opened.Add(minReopenInterval))) {
			return
		}
	}
}

func refusal(resp *upstream.Response) error {
	defer resp.Close()
	body, whole, err := resp.ReadAll(maxRefusal)
	if err != nil || !whole {
		return problem.Unavailable(fmt.Errorf("read response %d: %w", resp.Status, err))
	}
	return &Refusal{Status: resp.Status, Header: resp.Header, Body: body}
}

// read consumes one stream, requested after since, until it ends.
func (f *Feed) read(resp *upstream.Response, since int64, cancel func()) error {
	defer resp.Close()
	timer := time.AfterFunc(readTimeout, cancel)
	defer timer.Stop()
	in := newUpdateReader(resp.Body())
	for {
		u, err := in.next()
		if err != nil {
			return err
		}
		timer.Reset(readTimeout)
		f.receive(u, since, resp.Header)
	}
}

// receive adds an update of a stream that was requested after since.
func (f *Feed) receive(u update, since int64, header http.Header) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	if !f.started {
		// Anything but a snapshot means that the stream continues after since.
		switch {
		case u.snapshot:
			f.history.reset(u.id)
		case since >= 0:
			f.history.reset(since)
		case u.data == nil:
			return // not started yet
		default:
			f.history.reset(u.id - 1)
		}
		f.started, f.header = true, header
		close(f.ready)
	}
	switch {
	case u.comment:
		f.heartbeatDue = true
	case u.data == nil:
		return
	default:
		// A lagging replica starts with a snapshot or changes that are already known.
		f.history.add(u.id, u.data, u.snapshot)
		if u.snapshot && u.id > f.snapshot.id {
			f.snapshot = entry{id: u.id, data: u.data}
		}
	}
	select {
	case f.wake <- struct{}{}:
	default: // deliver is already woken
	}
}
