package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
)

const (
	resultFile = ".run/bench.json"
	slicesFile = ".run/bench/slices.csv"
	pageFile   = ".run/bench/index.html"
	// timeLimit limits the whole test.
	timeLimit = 25 * time.Minute
)

// part is a piece of the load test.
type part struct {
	name, description string
	do                func(*bench, context.Context) error
	// needsHoldMax is set if the part requires the maximum hold rate, which compare
	// measures.
	needsHoldMax bool
}

var parts = []part{
	{"compare", "every kind of request, as fast as answers come, in turns", (*bench).compare, false},
	{"half", "delays at half of the most holds", (*bench).halfLoad, true},
	{"scaling", "small and huge halls", (*bench).scaling, true},
	{"saga", "whole purchases", (*bench).saga, true},
	{"overload", "twice as many as can be", (*bench).overload, true},
	{"sse", "watchers", (*bench).watch, true},
	{"onsale", "a whole on-sale", (*bench).onSale, true},
	{"load", "an event that no replica has in memory", (*bench).loadEvent, false},
	{"forwarded", "holds that arrive at replicas that do not own the event", (*bench).forwarded, false},
}

// all measures every part, or only one, and writes the results, even if a part
// failed or was interrupted.
func (b *bench) all(ctx context.Context, only string) error {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	warmUp := 3 * time.Minute // the JVMs' compilers need that long
	if only != "" {
		warmUp = 0 // for a quick look; run it twice for accuracy
	}
	if err := b.warm(ctx, warmUp); err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	var failed []error
	for _, part := range parts {
		if ctx.Err() != nil || only != "" && only != part.name {
			continue
		}
		b.progress("— %s: %s", part.name, part.description)
		err := error(nil)
		if part.needsHoldMax && b.holdMax == 0 {
			err = b.measureHoldMax(ctx)
		}
		if err == nil {
			err = part.do(b, ctx)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", part.name, err)
			b.progress("%s", err)
			failed = append(failed, err)
		}
	}
	fmt.Fprintln(b.out)
	report.Table(b.out, b.figures)
	fmt.Fprintln(b.out)
	report.CPUTable(b.out, b.slices)
	return errors.Join(append(failed, ctx.Err(), b.write())...)
}

// measureHoldMax measures the maximum hold rate if compare has not.
func (b *bench) measureHoldMax(ctx context.Context) error {
	s, err := b.newBacklog(ctx, bigHall, 1)
	if err != nil {
		return err
	}
	slice, err := b.slice(ctx, "most", kindHold, 0, 0, func() (openloop.Result, openloop.Summary, error) {
		result, sum := b.hold(ctx, s, holdPath, saturate(sliceLength))
		return result, sum, nil
	})
	b.holdMax = slice.PerSecond
	if err == nil && b.holdMax == 0 {
		err = errors.New("no hold was accepted")
	}
	return err
}

func (b *bench) write() error {
	page := report.Page{Figures: b.figures, Slices: b.slices, OnSale: b.onSaleSeries, Took: time.Since(b.begin)}
	if err := errors.Join(report.WriteJSON(resultFile, b.figures), report.WriteCSV(slicesFile, b.slices), page.Write(pageFile)); err != nil {
		return err
	}
	b.progress("written: %s, %s, %s", resultFile, slicesFile, pageFile)
	return nil
}
