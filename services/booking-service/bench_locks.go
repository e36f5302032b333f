//go:build bench

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/redis"
)

// locksLoad is what Redis alone does: the script of a hold, again and again.
type locksLoad struct {
	PerSecond float64 `json:"per_second"`
	Count     int     `json:"count"`
	// P50 and P99 in milliseconds.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// loadLocks takes the locks of fresh pairs for fresh buyers with some workers
// for some time, of an event that does not exist, and forgets them again.
func loadLocks(ctx context.Context, locks *redis.Locks, client *goredis.Client, lengthText, workersText string) (locksLoad, error) {
	length, err := time.ParseDuration(lengthText)
	if err != nil {
		return locksLoad{}, err
	}
	workers, err := strconv.Atoi(workersText)
	if err != nil {
		return locksLoad{}, err
	}
	event := uuid.Must(uuid.NewV7())
	if err := locks.Warm(ctx, event, nil); err != nil {
		return locksLoad{}, err
	}
	defer forget(context.WithoutCancel(ctx), client, event)
	var wg sync.WaitGroup
	took := make([][]time.Duration, workers)
	failed := make([]error, workers)
	begin := time.Now()
	for w := range workers {
		wg.Go(func() { took[w], failed[w] = takeLocks(ctx, locks, event, w, begin.Add(length)) })
	}
	wg.Wait()
	elapsed := time.Since(begin)
	for _, err := range failed {
		if err != nil {
			return locksLoad{}, err
		}
	}
	all := slices.Concat(took...)
	if len(all) == 0 {
		return locksLoad{}, fmt.Errorf("nothing was taken in %s", length)
	}
	slices.Sort(all)
	at := func(q float64) float64 { return all[int(q*float64(len(all)-1))].Seconds() * 1000 }
	return locksLoad{PerSecond: float64(len(all)) / elapsed.Seconds(), Count: len(all), P50: at(.5), P99: at(.99)}, nil
}

func takeLocks(ctx context.Context, locks *redis.Locks, event uuid.UUID, worker int, end time.Time) ([]time.Duration, error) {
	var took []time.Duration
	for n := 0; ; n++ {
		begin := time.Now()
		if !begin.Before(end) {
			return took, nil
		}
		// A block a worker and 150 pairs: neighbours of one block, as in a hold.
		block := 1 + worker*1000 + n/150
		answer, err := locks.Take(ctx, booking.LockRequest{
			Event: event, Booking: uuid.Must(uuid.NewV7()), User: uuid.Must(uuid.NewV7()), Limit: booking.MaxSeatsPerHold,
			Deadline: end.Add(time.Minute).UnixMilli(),
			Seats:    []booking.SeatID{{Block: block, Index: n % 150 * 2}, {Block: block, Index: n%150*2 + 1}},
		})
		if err == nil && answer.Verdict != booking.LocksTaken {
			err = fmt.Errorf("verdict %d", answer.Verdict)
		}
		if err != nil {
			return took, err
		}
		took = append(took, time.Since(begin))
	}
}

// forget removes the event's keys.
func forget(ctx context.Context, client *goredis.Client, event uuid.UUID) {
	iter := client.Scan(ctx, 0, "fr:{"+event.String()+"}:*", 5000).Iterator()
	keys := make([]string, 0, 1000)
	for iter.Next(ctx) {
		if keys = append(keys, iter.Val()); len(keys) == cap(keys) {
			client.Unlink(ctx, keys...)
			keys = keys[:0]
		}
	}
	if len(keys) > 0 {
		client.Unlink(ctx, keys...)
	}
}
