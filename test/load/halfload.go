package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
)

const (
	halfRounds = 3
	halfLength = 5 * time.Second
)

// halfLoad measures delays, open loop, at half of the maximum hold rate: of holds,
// of no-ops at the same rate, and of refused holds.
func (b *bench) halfLoad(ctx context.Context) error {
	rate := b.holdMax / 2
	for round := range halfRounds {
		s, err := b.newBacklog(ctx, bigHall, openloop.Arrivals(rate, halfLength))
		if err != nil {
			return err
		}
		kinds := []struct {
			name string
			load func() (openloop.Result, openloop.Summary)
		}{
			{kindNoop, func() (openloop.Result, openloop.Summary) {
				return b.repeatHolds(ctx, b.sold, noopPath, pace(rate, halfLength), ok)
			}},
			{kindHold, func() (openloop.Result, openloop.Summary) { return b.hold(ctx, s, holdPath, pace(rate, halfLength)) }},
			{kindRefused, func() (openloop.Result, openloop.Summary) {
				return b.repeatHolds(ctx, b.sold, holdPath, pace(rate, halfLength), conflict)
			}},
		}
		for i := range kinds {
			kind := kinds[(i+round)%len(kinds)]
			if _, err := b.slice(ctx, "half", kind.name, round, rate, func() (openloop.Result, openloop.Summary, error) {
				result, sum := kind.load()
				return result, sum, nil
			}); err != nil {
				return err
			}
		}
		b.sold = s.sent()
	}
	p99 := func(s *report.Slice) float64 { return s.Quantile(.99) }
	holds, noops, refused := b.collect("half", kindHold, p99), b.collect("half", kindNoop, p99), b.collect("half", kindRefused, p99)
	b.record("p99_ratio", quotients(holds, noops)...)
	b.record("refused_p99_ratio", quotients(refused, holds)...)
	b.record("hold_p50_ms", b.collect("half", kindHold, func(s *report.Slice) float64 { return s.Quantile(.5) })...)
	b.record("hold_p99_ms", holds...)
	b.record("noop_p99_ms", noops...)
	return nil
}
