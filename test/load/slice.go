package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
)

// Kinds of load.
const (
	kindHop      = "a bare hop"
	kindNoop     = "a no-op"
	kindAppend   = "b log append"
	kindSingle   = "c a round a hold"
	kindRows     = "d rows"
	kindAdvisory = "d advisory lock"
	kindHold     = "e hold"
	kindRefused  = "refused hold"
	kindBrowse   = "browse"
	kindSaga     = "saga"
)

// slice measures one period of load and records the figures.
func (b *bench) slice(ctx context.Context, part, kind string, round int, rate float64,
	load func() (openloop.Result, openloop.Summary, error),
) (report.Slice, error) {
	if err := b.awaitIdle(ctx); err != nil {
		return report.Slice{}, err
	}
	before, err := b.cpuTimes(ctx)
	if err != nil {
		return report.Slice{}, err
	}
	begin := time.Now()
	result, sum, err := load()
	if err != nil {
		return report.Slice{}, err
	}
	took := time.Since(begin)
	after, err := b.cpuTimes(ctx)
	if err != nil {
		return report.Slice{}, err
	}
	s := report.Slice{
		Part: part, Kind: kind, Round: round, Offered: rate, Seconds: took.Seconds(), Requests: sum.Count,
		Wanted: int(sum.Accepted.TotalCount()), PerSecond: sum.PerSecond, ByStatus: sum.ByStatus, Retryable: sum.Retryable,
		Unsent: result.Unstarted, Delays: sum.Accepted, OtherDelays: sum.Others, CPU: after.Since(before),
	}
	b.slices = append(b.slices, s)
	b.progress("%-8s %-17s %d  %s", part, kind, round, s.String())
	return s, ctx.Err()
}

// awaitIdle waits until the work left over from an earlier slice uses less than a
// third of a CPU, for at most some seconds.
func (b *bench) awaitIdle(ctx context.Context) error {
	const look, most = 250 * time.Millisecond, 5 * time.Second
	before, err := b.cpuTimes(ctx)
	if err != nil {
		return err
	}
	for begin := time.Now(); time.Since(begin) < most; {
		if !clock.Sleep(ctx, look) {
			return ctx.Err()
		}
		now, err := b.cpuTimes(ctx)
		if err != nil {
			return err
		}
		used := now.Since(before)
		busy := time.Duration(0)
		for name, took := range used {
			if name != cpu.Machine && name != cpu.Generator {
				busy += took
			}
		}
		if before = now; busy < look/3 {
			return nil
		}
	}
	return nil
}

// saturate returns a run with enough concurrent requests to keep the system
// busy, but fewer than its admission limit.
func saturate(length time.Duration) openloop.Run {
	return openloop.Run{Count: 200_000, Length: length, Connections: saturating}
}

// pace returns a run at a fixed rate, whatever the outcome.
func pace(rate float64, length time.Duration) openloop.Run {
	return openloop.Run{Rate: rate, Count: 200_000, Length: length, Connections: mostConnections}
}

const (
	saturating      = 512
	mostConnections = 4096
)
