package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/load/cpu"
)

// waitCosts measures what it costs that people wait.
type waitCosts struct {
	b *bench
	// Before the first arrival: CPU time a minute, resident memory, live heap.
	idleCPU    time.Duration
	rss, heaps int64
}

// idle measures for a while before anybody has come. Without a supervisor it
// measures nothing.
func (w *waitCosts) idle(ctx context.Context, length time.Duration) (err error) {
	if w.b.processes == nil {
		return nil
	}
	if w.rss, w.heaps, err = w.memory(ctx); err != nil {
		return err
	}
	w.idleCPU, err = w.cpu(ctx, length)
	return err
}

// wait measures for a while that people only wait, and records the figures.
func (w *waitCosts) wait(ctx context.Context, length time.Duration, waiting *atomic.Int64) error {
	if w.b.processes == nil {
		return nil
	}
	used, err := w.cpu(ctx, length)
	if err != nil {
		return err
	}
	rss, heaps, err := w.memory(ctx)
	if err != nil {
		return err
	}
	people := float64(max(waiting.Load(), 1))
	w.b.progress("%.0f people wait; gateway and booking-service use %s a minute (%s before), %d MB resident (%d), %d MB live heap (%d)",
		people, used, w.idleCPU, rss>>20, w.rss>>20, heaps>>20, w.heaps>>20)
	w.b.record("waiting", people)
	w.b.record("wait_cpu_ms", 1000*used.Seconds()/people)
	w.b.record("idle_cpu_ms", 1000*w.idleCPU.Seconds()/people)
	w.b.record("wait_rss_bytes", float64(rss-w.rss)/people)
	w.b.record("wait_heap_bytes", float64(heaps-w.heaps)/people)
	return nil
}

// cpu returns the CPU time that gateways and booking replicas use a minute.
func (w *waitCosts) cpu(ctx context.Context, length time.Duration) (time.Duration, error) {
	before, err := w.b.processTimes(ctx)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if !clock.Sleep(ctx, length) {
		return 0, ctx.Err()
	}
	after, err := w.b.processTimes(ctx)
	if err != nil {
		return 0, err
	}
	took := time.Since(begin)
	used := time.Duration(0)
	for name, t := range after.Since(before) {
		if servesQueue(name) {
			used += t
		}
	}
	return time.Duration(float64(used) * float64(time.Minute) / float64(took)).Round(time.Millisecond), nil
}

func servesQueue(process string) bool {
	return process != cpu.Machine && (strings.HasPrefix(process, "api-gateway") || strings.HasPrefix(process, "booking-service"))
}

// memory returns the resident memory and the live heap of gateways and booking
// replicas, in bytes.
func (w *waitCosts) memory(ctx context.Context) (rss, heaps int64, err error) {
	states, err := w.b.processes.States(ctx)
	if err != nil {
		return 0, 0, err
	}
	for name, state := range states {
		if !state.Running || !servesQueue(name) {
			continue
		}
		heap, err := w.b.liveHeap(ctx, name)
		if err != nil {
			return 0, 0, err
		}
		resident, err := residentMemory(state.PID)
		if err != nil {
			return 0, 0, err
		}
		rss, heaps = rss+resident, heaps+heap
	}
	return rss, heaps, nil
}

// residentMemory returns a process's resident memory in bytes.
func residentMemory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("read memory of process %d: %d fields", pid, len(fields))
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
