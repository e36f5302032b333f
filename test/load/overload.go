package main

import (
	"context"
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	overloadRounds = 3
	overloadLength = 5 * time.Second
)

// overload offers twice the sustainable rate and measures what happens to the
// refused requests.
func (b *bench) overload(ctx context.Context) error {
	rate := 2 * b.holdMax
	before, err := b.processes.States(ctx)
	if err != nil {
		return err
	}
	for round := range overloadRounds {
		s, err := b.newBacklog(ctx, bigHall, openloop.Arrivals(rate, overloadLength))
		if err != nil {
			return err
		}
		slice, err := b.slice(ctx, "overload", kindHold, round, rate, func() (openloop.Result, openloop.Summary, error) {
			result, sum := b.hold(ctx, s, holdPath, pace(rate, overloadLength))
			return result, sum, nil
		})
		if err != nil {
			return err
		}
		b.record("overload_accepted", slice.PerSecond/b.holdMax)
		if others := slice.Requests - slice.Wanted; others > 0 {
			b.record("overload_told", float64(slice.Retryable)/float64(others))
		}
	}
	after, err := b.processes.States(ctx)
	if err != nil {
		return err
	}
	for name, state := range before {
		if after[name].PID != state.PID {
			return fmt.Errorf("%s restarted: it was process %d and is now %d", name, state.PID, after[name].PID)
		}
	}
	return nil
}
