package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	smallHall     = 1_000
	hugeHall      = 100_000
	scalingRounds = 3
	// scalingHolds is the number of holds. As many small halls as needed are
	// sold one after another, so that one of them is on sale at any time.
	scalingHolds = 6_000
)

// scaling compares the hold rate in a small and in a huge hall, and measures
// the huge hall's memory in the booking replicas.
func (b *bench) scaling(ctx context.Context) error {
	before, err := b.heaps(ctx)
	if err != nil {
		return err
	}
	huge, err := b.newBacklog(ctx, hugeHall, 1)
	if err != nil {
		return err
	}
	if err := b.awaitIdle(ctx); err != nil {
		return err
	}
	after, err := b.heaps(ctx)
	if err != nil {
		return err
	}
	for i := range after {
		b.record("bytes_per_seat", float64(after[i]-before[i])/hugeHall)
	}
	b.progress("a hall of %d seats: %.0f bytes a seat in a replica", hugeHall, float64(after[0]-before[0])/hugeHall)
	const many, one = "hold, 1,000 seats", "hold, 100,000 seats"
	for round := range scalingRounds {
		small, err := b.newBacklog(ctx, smallHall, scalingHolds)
		if err != nil {
			return err
		}
		load := func(kind string, s *backlog) error {
			_, err := b.slice(ctx, "scaling", kind, round, 0, func() (openloop.Result, openloop.Summary, error) {
				run := saturate(sliceLength)
				run.Count = scalingHolds
				result, sum := b.hold(ctx, s, holdPath, run)
				return result, sum, nil
			})
			return err
		}
		pair := []func() error{
			func() error { return load(many, small) },
			func() error { return load(one, huge) },
		}
		for i := range pair {
			if err := pair[(i+round)%2](); err != nil {
				return err
			}
		}
	}
	b.record("seats_scaling", quotients(b.perSecond("scaling", one), b.perSecond("scaling", many))...)
	return nil
}

// heaps returns the live heaps of the booking replicas, in bytes.
func (b *bench) heaps(ctx context.Context) ([]int64, error) {
	heaps := make([]int64, len(bookingReplicas))
	for i, replica := range bookingReplicas {
		var err error
		if heaps[i], err = b.liveHeap(ctx, replica); err != nil {
			return nil, err
		}
	}
	return heaps, nil
}
