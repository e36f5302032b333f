package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// clockEvery is how often the cluster's time is read.
const clockEvery = 5 * time.Second

// keepTime waits for Cassandra, refuses one with unsafe settings, and then
// keeps the cluster's time until ctx ends. The replica is not ready until it
// has the time and the events.
func keepTime(
	ctx context.Context, store *cassandra.Store, clk *cassandra.Clock, engine *eventlog.Engine, prepared *atomic.Bool,
) error {
	failing := false
	for {
		pause := time.Second
		err := clk.Set(ctx)
		if err == nil && !prepared.Load() {
			if err = store.Check(ctx); errors.Is(err, cassandra.ErrUnsafe) {
				return err
			}
			if err == nil {
				err = engine.Sync(ctx)
			}
		}
		if err == nil {
			prepared.Store(true)
			pause = clockEvery
		} else if ctx.Err() == nil && !failing {
			slog.WarnContext(ctx, "waiting for Cassandra", "error", err)
		}
		failing = err != nil
		if !clock.Sleep(ctx, pause) {
			return nil
		}
	}
}
