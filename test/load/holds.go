package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	holdPath = "/api/v1/bookings"
	// holdSeconds exceeds the duration of the load test, so that none of its
	// holds expires.
	holdSeconds = 3600
)

// onlyHolds runs the generator alone, for finding bottlenecks.
func (b *bench) onlyHolds(ctx context.Context, o options) error {
	s, err := b.newBacklog(ctx, o.seats, 1)
	if err != nil {
		return err
	}
	b.progress("an event of %d seats is on sale", o.seats)
	length := time.Duration(o.seconds) * time.Second
	run := openloop.Run{Rate: float64(o.rate), Count: s.remaining(), Length: length, Connections: o.connections}
	if o.refused {
		b.hold(ctx, s, holdPath, openloop.Run{Count: s.remaining() / 10, Length: time.Minute, Connections: 64})
		run.Count = 1_000_000
		b.progress("%d pairs are taken; asking for them again", s.used)
	}
	var firstProblem atomic.Pointer[string]
	run.Answer = func(_, status int, body []byte) {
		if !created(status) && (status != 409 || !o.refused) && firstProblem.Load() == nil {
			text := string(body)
			firstProblem.CompareAndSwap(nil, &text)
		}
	}
	before, err := b.cpuTimes(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	var result openloop.Result
	var sum openloop.Summary
	if o.refused {
		result, sum = b.repeatHolds(ctx, s.sent(), holdPath, run, conflict)
	} else {
		result, sum = b.hold(ctx, s, holdPath, run)
	}
	after, err := b.cpuTimes(ctx)
	if err != nil {
		return err
	}
	b.printSummary(result, sum)
	b.printCPU(after.Since(before), int(sum.Accepted.TotalCount()), time.Since(begin))
	if text := firstProblem.Load(); text != nil {
		b.progress("the first other answer: %s", *text)
	}
	return nil
}

func (b *bench) printSummary(r openloop.Result, s openloop.Summary) {
	fmt.Fprintf(b.out, "%d requests in %.1f s: %.0f wanted answers a second; by status:", s.Count, r.Length.Seconds(), s.PerSecond)
	for _, status := range slices.Sorted(maps.Keys(s.ByStatus)) {
		fmt.Fprintf(b.out, " %d: %d", status, s.ByStatus[status])
	}
	fmt.Fprintf(b.out, "; %d with Retry-After; %d never sent\n", s.Retryable, r.Unstarted)
	for _, line := range []struct {
		name string
		h    interface{ TotalCount() int64 }
		q    func(float64) time.Duration
	}{
		{"wanted", s.Accepted, func(q float64) time.Duration { return openloop.Quantile(s.Accepted, q) }},
		{"others", s.Others, func(q float64) time.Duration { return openloop.Quantile(s.Others, q) }},
		{"generator's own delay", s.Late, func(q float64) time.Duration { return openloop.Quantile(s.Late, q) }},
	} {
		if line.h.TotalCount() == 0 {
			continue
		}
		fmt.Fprintf(b.out, "  %-22s p50 %8.2f ms  p90 %8.2f  p99 %8.2f  p99.9 %8.2f  max %8.2f\n", line.name,
			ms(line.q(.5)), ms(line.q(.9)), ms(line.q(.99)), ms(line.q(.999)), ms(line.q(1)))
	}
}

// printCPU prints the CPU time of each process per operation, the most
// expensive first.
func (b *bench) printCPU(used cpu.Times, operations int, took time.Duration) {
	names := slices.SortedFunc(maps.Keys(used), func(x, y string) int { return int(used[y] - used[x]) })
	fmt.Fprintf(b.out, "  processor time over %.1f s, %d operations:\n", took.Seconds(), operations)
	for _, name := range names {
		if used[name] < 10*time.Millisecond {
			continue
		}
		fmt.Fprintf(b.out, "    %-22s %7.2f s %5.1f %%  %7.0f µs an operation\n", name, used[name].Seconds(),
			100*used[name].Seconds()/took.Seconds(), float64(used[name].Microseconds())/float64(max(operations, 1)))
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// cpuTimes reads the CPU times of all processes. The replicas of a service
// count as one.
func (b *bench) cpuTimes(ctx context.Context) (cpu.Times, error) {
	times, err := b.processTimes(ctx)
	if err != nil {
		return nil, err
	}
	byService := cpu.Times{}
	for name, took := range times {
		byService[strings.TrimRight(name, "-0123456789")] += took
	}
	return byService, nil
}

// processTimes reads the CPU times of each process.
func (b *bench) processTimes(ctx context.Context) (cpu.Times, error) {
	if b.processes == nil {
		return cpu.Read(nil)
	}
	states, err := b.processes.States(ctx)
	if err != nil {
		return nil, err
	}
	pids := map[string]int{}
	for name, state := range states {
		if state.Running {
			pids[name] = state.PID
		}
	}
	return cpu.Read(pids)
}
