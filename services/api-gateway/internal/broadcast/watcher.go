package broadcast

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// writeTimeout is how long a client may take to accept one chunk.
	writeTimeout = 15 * time.Second
	// chunk is how many bytes are written under one deadline.
	chunk = 16 << 10
)

// watcher is a client's connection. It holds nothing else, because a stream stays open for hours.
type watcher struct {
	conn net.Conn
	raw  syscall.RawConn // nil if there is none
	// busy means that a goroutine is writing to the watcher; only that goroutine may change since.
	// Feed.mu guards both.
	busy  bool
	since int64

	once sync.Once
	done func()
}

func newWatcher(conn net.Conn, since int64, done func()) *watcher {
	w := &watcher{conn: conn, busy: true, since: since, done: done}
	if c, ok := conn.(syscall.Conn); ok {
		w.raw, _ = c.SyscallConn()
	}
	return w
}

// wait returns when the client disconnects or sends anything, which it has no reason to do.
func (w *watcher) wait() {
	var b [1]byte
	_, _ = w.conn.Read(b[:])
}

func (w *watcher) close() {
	w.once.Do(func() {
		_ = w.conn.Close()
		w.done()
	})
}

// write blocks until the client has accepted data.
func (w *watcher) write(data []byte) error {
	for len(data) > 0 {
		n := min(len(data), chunk)
		if err := w.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		if _, err := w.conn.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return w.conn.SetWriteDeadline(time.Time{})
}

// writer writes the same data to many watchers without waiting for any.
type writer struct {
	data  []byte
	n     int
	err   error
	write func(fd uintptr) bool
}

func newWriter(data []byte) *writer {
	w := &writer{data: data}
	w.write = func(fd uintptr) bool {
		w.n, w.err = syscall.Write(int(fd), w.data)
		return true // don't wait until writable
	}
	return w
}

// tryWrite writes without blocking and returns the data that did not fit.
func (w *writer) tryWrite(to *watcher) (rest []byte, err error) {
	if to.raw == nil {
		return w.data, nil
	}
	w.n, w.err = 0, nil
	if err := to.raw.Write(w.write); err != nil {
		return nil, err
	}
	if errors.Is(w.err, syscall.EAGAIN) || errors.Is(w.err, syscall.EINTR) {
		w.n, w.err = 0, nil
	}
	return w.data[max(w.n, 0):], w.err
}
