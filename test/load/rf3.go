package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
)

const (
	rf3File  = ".run/bench/rf3.json"
	rf3Warm  = 90 * time.Second
	rf3Limit = 10 * time.Minute
)

// replicated measures holds with every log entry on three nodes of Cassandra,
// and compares them with the single node of the previous run.
func (b *bench) replicated(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rf3Limit)
	defer cancel()
	b.figures = []report.Figure{
		{Name: "holds_per_s_rf3", Goal: report.NoGoal, Unit: "1/s", Description: "accepted holds a second, three nodes of Cassandra, three copies"},
		{Name: "rf3_over_single", Goal: .5, Description: "the same over those with a single node"},
	}
	for begin := time.Now(); time.Since(begin) < rf3Warm; {
		s, err := b.newBacklog(ctx, bigHall, 1)
		if err != nil {
			return err
		}
		_, sum := b.hold(ctx, s, holdPath, saturate(warmSlice))
		b.progress("warming up: %.0f holds a second", sum.PerSecond)
	}
	for round := range rounds {
		s, err := b.newBacklog(ctx, bigHall, 1)
		if err != nil {
			return err
		}
		if _, err := b.slice(ctx, "rf3", kindHold, round, 0, func() (openloop.Result, openloop.Summary, error) {
			result, sum := b.hold(ctx, s, holdPath, saturate(sliceLength))
			return result, sum, nil
		}); err != nil {
			return err
		}
	}
	b.record("holds_per_s_rf3", b.perSecond("rf3", kindHold)...)
	single, err := singleNode()
	if err != nil {
		b.progress("not compared with a single node: %s", err)
	} else {
		for _, rate := range b.perSecond("rf3", kindHold) {
			b.record("rf3_over_single", rate/single)
		}
	}
	fmt.Fprintln(b.out)
	report.Table(b.out, b.figures)
	return report.WriteJSON(rf3File, b.figures)
}

// singleNode returns the previous run's median hold rate.
func singleNode() (float64, error) {
	text, err := os.ReadFile(resultFile)
	if err != nil {
		return 0, err
	}
	var figures []struct {
		Name   string
		Median float64
	}
	if err := json.Unmarshal(text, &figures); err != nil {
		return 0, err
	}
	for _, f := range figures {
		if f.Name == "holds_per_s" && f.Median > 0 {
			return f.Median, nil
		}
	}
	return 0, errors.New(resultFile + " has no holds_per_s")
}
