package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	ownerRounds = 3
	// insideAtOnce is how many concurrent holds a replica is given directly,
	// without the gateway.
	insideAtOnce = 256
)

// loadEvent measures how long the first hold takes at a replica that does not
// have the event in memory, for an event with almost all seats held.
func (b *bench) loadEvent(ctx context.Context) error {
	e, err := b.organizer.open(ctx, bigHall, holdSeconds)
	if err != nil {
		return err
	}
	owner, _, err := b.owner(ctx, e.id)
	if err != nil {
		return err
	}
	free := ownerRounds
	if _, err := b.holdInside(ctx, owner, e.id, 0, e.seats/2-free); err != nil {
		return err
	}
	for round := range ownerRounds {
		if err := b.awaitIdle(ctx); err != nil {
			return err
		}
		for _, replica := range bookingReplicas {
			if err := b.admin(ctx, replica, http.MethodPut, "/debug/bench/forget", url.Values{"event": {e.id}}, nil); err != nil {
				return err
			}
		}
		block := len(e.blockSeats)
		w := holdRequest{e.id, pair{block, e.blockSeats[block-1] - 2*(round+1)}, round}
		_, sum := b.hold(ctx, &backlog{requests: []holdRequest{w}}, holdPath, openloop.Run{Count: 1, Length: 10 * time.Second, Connections: 1})
		if sum.Accepted.TotalCount() != 1 {
			return fmt.Errorf("first hold of a loaded event was refused: by status %v", sum.ByStatus)
		}
		took := openloop.Quantile(sum.Accepted, 1)
		b.progress("load     %d seats held     %d  %.0f ms until the first hold", e.seats, round, ms(took))
		b.record("load_event_ms", ms(took))
	}
	return nil
}

// forwarded measures what a hold costs the owner of its event if all holds
// arrive at the other replicas.
func (b *bench) forwarded(ctx context.Context) error {
	for round := range ownerRounds {
		e, err := b.organizer.open(ctx, bigHall, holdSeconds)
		if err != nil {
			return err
		}
		owner, others, err := b.owner(ctx, e.id)
		if err != nil {
			return err
		}
		if err := b.awaitIdle(ctx); err != nil {
			return err
		}
		before, err := b.processTimes(ctx)
		if err != nil {
			return err
		}
		accepted := make([]int, len(others))
		group, groupCtx := errgroup.WithContext(ctx)
		share := e.seats / 2 / len(others)
		for i, replica := range others {
			group.Go(func() (err error) {
				accepted[i], err = b.holdInside(groupCtx, replica, e.id, 2*share*i, share)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		after, err := b.processTimes(ctx)
		if err != nil {
			return err
		}
		total := 0
		for _, n := range accepted {
			total += n
		}
		if total == 0 {
			return fmt.Errorf("no forwarded hold was accepted")
		}
		used := after.Since(before)
		cost := float64(used[owner].Microseconds()) / float64(total)
		b.progress("forward  %d holds     %d  the owner used %.1f µs a hold, the machine %.1f", total, round, cost,
			float64(used[cpu.Machine].Microseconds())/float64(total))
		b.record("owner_us_per_forwarded_hold", cost)
	}
	return nil
}

// owner returns the booking replica that owns an event, and the others.
func (b *bench) owner(ctx context.Context, event string) (owner string, others []string, err error) {
	for _, replica := range bookingReplicas {
		var owns bool
		if err := b.admin(ctx, replica, http.MethodGet, "/debug/bench/owner", url.Values{"event": {event}}, &owns); err != nil {
			return "", nil, err
		}
		if owns {
			owner = replica
		} else {
			others = append(others, replica)
		}
	}
	if owner == "" || len(others) != len(bookingReplicas)-1 {
		return "", nil, fmt.Errorf("event %s has no single owner", event)
	}
	return owner, others, nil
}

// holdInside makes a replica hold pairs of seats itself, bypassing the gateway,
// and returns how many were accepted.
func (b *bench) holdInside(ctx context.Context, replica, event string, first, pairs int) (accepted int, err error) {
	var answer struct{ Accepted int }
	err = b.admin(ctx, replica, http.MethodPost, "/debug/bench/holds", url.Values{
		"event": {event}, "first": {strconv.Itoa(first)}, "pairs": {strconv.Itoa(pairs)}, "at_once": {strconv.Itoa(insideAtOnce)},
	}, &answer)
	return answer.Accepted, err
}
