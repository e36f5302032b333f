package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	// waitingPerSource is the number of streams per source address. A gateway accepts 4,096.
	waitingPerSource = 2_000
	// waitingOpeners is how many streams are opened concurrently.
	waitingOpeners = 16
	// waitingRead is the size of the buffer that all streams share, in bytes. A frame fits.
	waitingRead = 64 << 10
)

// waiting holds the streams of people who wait in a queue. It keeps nothing per stream but its socket, so that one
// process can hold as many as it may open files.
type waiting struct {
	host, path string
	epoll      int
	refused    atomic.Int64
	ended      atomic.Int64

	mu sync.Mutex
	// first is when the first stream got the newest frame.
	newest int64
	first  time.Time
	frames int
	reads  int64
	bytes  int64
	lag    *hdrhistogram.Histogram
}

// onlyWaiting opens streams of the queue at an address, reads them for some seconds, and prints what that costs the
// gateway, whose process id is o.pid. Streams per gateway are limited by the open files of both processes.
func onlyWaiting(ctx context.Context, out io.Writer, o options) error {
	at, err := url.Parse(o.waiting)
	if err != nil {
		return fmt.Errorf("parse address of stream: %w", err)
	}
	if err := openFiles(o.connections + 100); err != nil {
		return err
	}
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("create epoll: %w", err)
	}
	w := &waiting{host: at.Host, path: at.Path, epoll: epoll, lag: openloop.NewHistogram()}
	idle, err := resident(o.pid)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := w.open(ctx, o.connections); err != nil {
		return err
	}
	read := make(chan error, 1)
	go func() { read <- w.read() }()
	fmt.Fprintf(out, "%d streams are open after %.1f s\n", o.connections, time.Since(began).Seconds())
	select {
	case <-time.After(2 * time.Second): // the responses and first frames arrive
	case err := <-read:
		return err
	}
	w.reset()
	before, err := cpu.Read(map[string]int{"gateway": o.pid})
	if err != nil {
		return err
	}
	began = time.Now()
	select {
	case <-time.After(time.Duration(o.seconds) * time.Second):
	case <-ctx.Done():
	case err := <-read:
		return err
	}
	took := time.Since(began)
	after, err := cpu.Read(map[string]int{"gateway": o.pid})
	if err != nil {
		return err
	}
	full, err := resident(o.pid)
	if err != nil {
		return err
	}
	w.print(out, o.connections, took, after.Since(before), idle, full)
	return nil
}

func (w *waiting) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames, w.reads, w.bytes = 0, 0, 0
	w.lag.Reset()
}

func (w *waiting) print(out io.Writer, streams int, took time.Duration, used cpu.Times, idle, full int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	own, _ := resident(os.Getpid())
	fmt.Fprintf(out, "refused %d, ended %d\n", w.refused.Load(), w.ended.Load())
	fmt.Fprintf(out, "frames %.2f/s, delivered %d of %d (%.1f B each)\n", float64(w.frames)/took.Seconds(),
		w.reads, int64(w.frames)*int64(streams), float64(w.bytes)/float64(max(w.reads, 1)))
	fmt.Fprintf(out, "after the first stream has a frame: p50 %.0f ms, p99 %.0f ms, last %.0f ms\n",
		ms(openloop.Quantile(w.lag, .5)), ms(openloop.Quantile(w.lag, .99)), float64(w.lag.Max())/1000)
	fmt.Fprintf(out, "gateway: %d MB, %d B a stream; CPU %.1f %%, %.2f µs a frame and stream\n", full>>20,
		(full-idle)/int64(streams), 100*used["gateway"].Seconds()/took.Seconds(),
		float64(used["gateway"].Microseconds())/float64(max(w.reads, 1)))
	fmt.Fprintf(out, "load generator: %d MB, CPU %.1f %%; the whole machine %.1f %%\n", own>>20,
		100*used[cpu.Generator].Seconds()/took.Seconds(), 100*used[cpu.Machine].Seconds()/took.Seconds())
}

// open connects count streams and sends their requests.
func (w *waiting) open(ctx context.Context, count int) error {
	address, err := net.ResolveTCPAddr("tcp4", w.host)
	if err != nil {
		return fmt.Errorf("resolve gateway: %w", err)
	}
	to := &syscall.SockaddrInet4{Port: address.Port, Addr: [4]byte(address.IP.To4())}
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
				source := n / waitingPerSource
				if err := w.connect(to, [4]byte{127, 2, byte(source / 250), byte(1 + source%250)}); err != nil {
					failed <- fmt.Errorf("open stream %d: %w", n, err)
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

// connect opens one stream from a source address. The socket stays open until the process ends.
func (w *waiting) connect(to *syscall.SockaddrInet4, from [4]byte) error {
	const bindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT: ports may repeat across addresses
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindAddressNoPort, 1)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: from}); err != nil {
		return err
	}
	if err := syscall.Connect(fd, to); err != nil {
		return err
	}
	request := "GET " + w.path + " HTTP/1.1\r\nHost: " + w.host + "\r\nAccept: text/event-stream\r\n\r\n"
	if _, err := syscall.Write(fd, []byte(request)); err != nil {
		return err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	return syscall.EpollCtl(w.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

// read reads all streams until one can't be read.
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
				w.ended.Add(1)
				_ = syscall.Close(int(e.Fd))
				continue
			}
			w.observe(buf[:got], time.Now())
		}
	}
}

// observe counts the frames in what one stream has received.
func (w *waiting) observe(data []byte, now time.Time) {
	if status, ok := bytes.CutPrefix(data, []byte("HTTP/1.1 ")); ok && !bytes.HasPrefix(status, []byte("200")) {
		w.refused.Add(1)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		_, rest, ok := bytes.Cut(data, []byte("\nid: "))
		if !ok {
			return
		}
		text, after, _ := bytes.Cut(rest, []byte("\n"))
		id, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return
		}
		if id > w.newest {
			w.newest, w.first = id, now
			w.frames++
		}
		w.reads++
		w.bytes += int64(len(rest))
		if id == w.newest {
			_ = w.lag.RecordValue(max(now.Sub(w.first).Microseconds(), 1))
		}
		data = after
	}
}

// resident returns the memory of a process, in bytes.
func resident(pid int) (int64, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, fmt.Errorf("read memory of process: %w", err)
	}
	_, rest, _ := strings.Cut(string(status), "\nVmRSS:")
	line, _, _ := strings.Cut(rest, " kB")
	kb, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("parse memory of process: %w", err)
	}
	return kb << 10, nil
}
