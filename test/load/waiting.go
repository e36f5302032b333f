package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

// waitingOpen is how long the streams may take to open.
const waitingOpen = 5 * time.Minute

// onlyWaiting starts a gateway, opens streams of a queue that changes once a second, reads them for some seconds,
// and prints what that costs the gateway. It is itself the only booking-service. The connections are limited by the
// files that either process may open.
func onlyWaiting(ctx context.Context, out io.Writer, o options) error {
	if err := openFiles(o.connections + 100); err != nil {
		return err
	}
	source := &queueSource{begin: make(chan struct{})}
	gateway, err := startGateway(ctx, o.waiting, source)
	if err != nil {
		return err
	}
	defer gateway.stop()
	fmt.Fprintf(out, "the gateway is process %d, its admin listener %s\n", gateway.pid(), gateway.admin)
	w, err := newWaiting(gateway.public, o.shared)
	if err != nil {
		return err
	}
	idle, err := resident(gateway.pid())
	if err != nil {
		return err
	}
	kernel, err := kernelMemory()
	if err != nil {
		return err
	}
	began := time.Now()
	read := make(chan error, 1)
	go func() { read <- w.read() }()
	if err := w.open(ctx, o.connections); err != nil {
		return err
	}
	streams := int64(o.connections) * int64(o.shared)
	if err := poll(ctx, waitingOpen, "the streams to open", func() bool { return w.frames(0) >= streams }); err != nil {
		return fmt.Errorf("%d of %d streams are open, %d refused: %w", w.frames(0), streams, w.refused.Load(), err)
	}
	full, err := resident(gateway.pid())
	if err != nil {
		return err
	}
	grown, err := kernelMemory()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d streams on %d connections are open after %.1f s; they took the gateway %d B a stream\n",
		streams, o.connections, time.Since(began).Seconds(), (full-idle)/streams)
	fmt.Fprintf(out, "kernel memory of the whole machine: %d B more a connection, both ends\n",
		(grown-kernel)/int64(o.connections))

	close(source.begin)
	if err := poll(ctx, time.Minute, "the first frame", func() bool { return w.frames(1) >= streams }); err != nil {
		return err
	}
	pids := map[string]int{"gateway": gateway.pid()}
	w.reset()
	before, err := cpu.Read(pids)
	if err != nil {
		return err
	}
	began = time.Now()
	select {
	case <-time.After(time.Duration(o.seconds) * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	case err := <-read:
		return err
	}
	took := time.Since(began)
	after, err := cpu.Read(pids)
	if err != nil {
		return err
	}
	w.print(out, streams, took, after.Since(before))
	return gateway.print(ctx, out)
}

func (w *waiting) print(out io.Writer, streams int64, took time.Duration, used cpu.Times) {
	w.mu.Lock()
	defer w.mu.Unlock()
	frames := float64(w.reads) / float64(streams)
	spent := used["gateway"].Seconds()
	fmt.Fprintf(out, "refused %d, ended %d\n", w.refused.Load(), w.ended.Load())
	fmt.Fprintf(out, "frames %.2f/s, %d sent, %d B each\n", frames/took.Seconds(), len(w.versions), w.bytes/max(w.reads, 1))
	fmt.Fprintf(out, "from the first stream with a frame to another: p50 %.0f ms, p99 %.0f ms, the last %.0f ms\n",
		ms(openloop.Quantile(w.lag, .5)), ms(openloop.Quantile(w.lag, .99)), float64(w.lag.Max())/1000)
	fmt.Fprintf(out, "gateway: CPU %.1f %%, %.2f s a frame, %.2f µs a frame and stream\n",
		100*spent/took.Seconds(), spent/frames, 1e6*spent/float64(max(w.reads, 1)))
	own, _ := resident(os.Getpid())
	fmt.Fprintf(out, "load generator: %d MB, CPU %.1f %%; the whole machine %.1f %%\n", own>>20,
		100*used[cpu.Generator].Seconds()/took.Seconds(), 100*used[cpu.Machine].Seconds()/took.Seconds())
}

// kernelMemory returns the memory in the kernel's slabs and socket buffers, in bytes.
func kernelMemory() (int64, error) {
	slab, err := number("/proc/meminfo", "\nSlab:", " kB")
	if err != nil {
		return 0, err
	}
	pages, err := number("/proc/net/sockstat", "\nTCP: ", "\n", "mem")
	return slab<<10 + pages*int64(syscall.Getpagesize()), err
}

// resident returns the memory of a process, in bytes.
func resident(pid int) (int64, error) {
	kb, err := number("/proc/"+strconv.Itoa(pid)+"/status", "\nVmRSS:", " kB")
	return kb << 10, err
}

// number returns the number between two texts of a file, or after the last of further ones.
func number(file, from, to string, after ...string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), from)
	field, _, _ := strings.Cut(rest, to)
	for _, text := range after {
		_, field, _ = strings.Cut(field, text)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(field), 10, 64)
	if err != nil {
		return 0, errors.Join(fmt.Errorf("read memory: no number after %q in %s", from, file), err)
	}
	return n, nil
}
