package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	// waitingPerSource is the number of streams per source address. A gateway accepts 4,096.
	waitingPerSource = 2_000
	// waitingOpeners is how many connections are opened concurrently.
	waitingOpeners = 16
	// waitingRead is the size of the buffer that all connections share, in bytes. What one has received fits.
	waitingRead = 64 << 10
)

// waiting holds the streams of people who wait in a queue. It keeps nothing per connection but its socket.
type waiting struct {
	to      *syscall.SockaddrInet4
	request []byte
	shared  int
	epoll   int
	refused atomic.Int64
	ended   atomic.Int64

	mu sync.Mutex
	// versions has each version's first arrival at a stream.
	versions map[int64]time.Time
	// received counts the streams that got a version.
	received map[int64]int64
	reads    int64
	bytes    int64
	lag      *hdrhistogram.Histogram
}

// newWaiting prepares streams of a gateway, of which each connection has a number.
func newWaiting(gateway string, shared int) (*waiting, error) {
	address, err := net.ResolveTCPAddr("tcp4", gateway)
	if err != nil {
		return nil, fmt.Errorf("resolve gateway: %w", err)
	}
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	request := "GET " + waitingPath + " HTTP/1.1\r\nHost: " + gateway + "\r\nAccept: text/event-stream\r\n"
	if shared > 1 {
		request += "Bench-Streams: " + strconv.Itoa(shared) + "\r\n"
	}
	return &waiting{
		to:      &syscall.SockaddrInet4{Port: address.Port, Addr: [4]byte(address.IP.To4())},
		request: []byte(request + "\r\n"), shared: shared, epoll: epoll,
		versions: map[int64]time.Time{}, received: map[int64]int64{}, lag: openloop.NewHistogram(),
	}, nil
}

func (w *waiting) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.versions)
	w.reads, w.bytes = 0, 0
	w.lag.Reset()
}

// frames returns how many streams have a version.
func (w *waiting) frames(version int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.received[version]
}

// open opens connections and sends their requests.
func (w *waiting) open(ctx context.Context, count int) error {
	var next atomic.Int64
	failed := make(chan error, waitingOpeners)
	for range waitingOpeners {
		go func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= count || ctx.Err() != nil {
					failed <- ctx.Err()
					return
				}
				source := n * w.shared / waitingPerSource
				if err := w.connect([4]byte{127, 2, byte(source / 250), byte(1 + source%250)}); err != nil {
					failed <- fmt.Errorf("open connection %d: %w", n, err)
					return
				}
			}
		}()
	}
	var all []error
	for range waitingOpeners {
		all = append(all, <-failed)
	}
	return errors.Join(all...)
}

// connect opens one connection from a source address. The socket stays open until the process ends.
func (w *waiting) connect(from [4]byte) error {
	const bindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT: ports may repeat across addresses
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindAddressNoPort, 1)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: from}); err != nil {
		return err
	}
	if err := syscall.Connect(fd, w.to); err != nil {
		return err
	}
	if _, err := syscall.Write(fd, w.request); err != nil {
		return err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	return syscall.EpollCtl(w.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

// read reads all connections until one can't be read.
func (w *waiting) read() error {
	events, buf := make([]syscall.EpollEvent, 1024), make([]byte, waitingRead)
	for {
		n, err := syscall.EpollWait(w.epoll, events, -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("wait for streams: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			got, err := syscall.Read(int(e.Fd), buf)
			if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
				continue
			}
			if err != nil || got == 0 {
				w.ended.Add(int64(w.shared))
				_ = syscall.Close(int(e.Fd))
				continue
			}
			w.observe(buf[:got], time.Now())
		}
	}
}

// observe counts the frames in what one connection has received.
func (w *waiting) observe(data []byte, now time.Time) {
	w.refused.Add(int64(bytes.Count(data, []byte("HTTP/1.1 ")) - bytes.Count(data, []byte("HTTP/1.1 200"))))
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		_, rest, ok := bytes.Cut(data, []byte("\nid: "))
		if !ok {
			return
		}
		text, after, _ := bytes.Cut(rest, []byte("\n"))
		version, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return
		}
		first, ok := w.versions[version]
		if !ok {
			first, w.versions[version] = now, now
		}
		frame, _, _ := bytes.Cut(after, []byte("\n\n"))
		w.received[version]++
		w.reads++
		w.bytes += int64(len("event: snapshot\nid: ") + len(text) + len("\n") + len(frame) + len("\n\n"))
		_ = w.lag.RecordValue(max(now.Sub(first).Microseconds(), 1))
		data = after
	}
}
