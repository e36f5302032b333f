package main

import (
	"context"
	"time"

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

// slice measures one piece of load and keeps the figures.
func (b *bench) slice(ctx context.Context, part, kind string, round int, rate float64,
	load func() (openloop.Result, openloop.Summary, error),
) (report.Slice, error) {
	if err := b.calm(ctx); err != nil {
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
	b.say("%-8s %-17s %d  %s", part, kind, round, s.String())
	return s, ctx.Err()
}

// calm waits until what an earlier slice has left to do is done: less than a
// third of a processor is busy with it; at most some seconds.
func (b *bench) calm(ctx context.Context) error {
	const look, most = 250 * time.Millisecond, 5 * time.Second
	before, err := b.cpuTimes(ctx)
	if err != nil {
		return err
	}
	for begin := time.Now(); time.Since(begin) < most; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
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

// saturate loads with as many requests under way as never leave the system
// idle and are below what it lets in at once.
func saturate(length time.Duration) openloop.Run {
	return openloop.Run{Count: 200_000, Length: length, Connections: saturating}
}

// pace loads at a rate, whatever becomes of it.
func pace(rate float64, length time.Duration) openloop.Run {
	return openloop.Run{Rate: rate, Count: 200_000, Length: length, Connections: mostConnections}
}

const (
	saturating      = 512
	mostConnections = 4096
)
