package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
)

// onSaleShare is the rate of the on-sale as a share of the maximum hold rate.
const onSaleShare = .75

// onSale sells a whole event, open loop.
func (b *bench) onSale(ctx context.Context) error {
	s, err := b.newBacklog(ctx, bigHall, 1)
	if err != nil {
		return err
	}
	rate := onSaleShare * b.holdMax
	length := time.Duration(float64(s.remaining())/rate*float64(time.Second)).Round(time.Second) + time.Second
	length = min(length, onSaleLimit)
	slice, err := b.slice(ctx, "on sale", kindHold, 0, rate, func() (openloop.Result, openloop.Summary, error) {
		result, sum := b.hold(ctx, s, holdPath, pace(rate, length))
		b.onSaleSeries = report.Series(result, 250*time.Millisecond, created)
		return result, sum, nil
	})
	if err != nil {
		return err
	}
	b.printCPU(slice.CPU, slice.Wanted, time.Duration(slice.Seconds*float64(time.Second)))
	b.record("generator_us", slice.CPUPer(cpu.Generator))
	return nil
}

// onSaleLimit limits the on-sale on a slow machine, where it ends before the
// seats are sold.
const onSaleLimit = 45 * time.Second
