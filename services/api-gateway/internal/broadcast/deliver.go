package broadcast

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// Attach turns a connection, on which a response header has been written, into a watcher that begins at
// start. The feed closes the connection when the stream ends, and calls done.
func (f *Feed) Attach(conn net.Conn, start Start, done func()) {
	f.hub.subject.watchers.Inc()
	w := newWatcher(conn, start.since, func() {
		f.hub.subject.watchers.Dec()
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
		f.disconnect(w)
	}()
}

// disconnect ends a watcher's stream.
func (f *Feed) disconnect(w *watcher) {
	f.mu.Lock()
	delete(f.watchers, w)
	f.mu.Unlock()
	w.close()
}

// catchUp writes data, then everything still missing, to a watcher, which stays busy meanwhile. Unlike
// deliver, it waits for the client.
func (f *Feed) catchUp(w *watcher, data []byte) {
	for {
		if err := w.write(data); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				f.hub.subject.cutOff.Inc()
			}
			f.disconnect(w)
			return
		}
		f.mu.Lock()
		next, upTo, ok := f.history.after(w.since)
		w.since = upTo
		w.busy = ok && next != nil
		f.mu.Unlock()
		if !ok {
			f.hub.subject.cutOff.Inc()
			f.disconnect(w)
			return
		}
		if next == nil {
			return
		}
		data = next
	}
}

// deliver writes new data to all watchers that are not busy, until the feed ends. A single goroutine does
// it without waiting for any client, so that thousands of goroutines need not wake for each change. It
// pauses for as long as it has worked: data that arrives meanwhile is written together, and other
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
		case <-f.wake:
		}
		for {
			begin := time.Now()
			next, more := f.deliverAfter(at)
			if !more {
				break
			}
			at = next
			clock.Sleep(f.ctx, time.Since(begin))
		}
	}
}

// deliverAfter writes the data after a position. It returns the position reached; more is false if there
// was nothing to write.
func (f *Feed) deliverAfter(at int64) (upTo int64, more bool) {
	f.mu.Lock()
	data, upTo, ok := f.history.after(at)
	if !ok {
		// The history has dropped data since the previous call.
		at = f.history.from
		data, upTo, _ = f.history.after(at)
	}
	heartbeat := data == nil && f.heartbeatDue
	f.heartbeatDue = false // a change serves as a heartbeat
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
			if rest, err = out.tryWrite(w); err != nil {
				f.disconnect(w)
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
