// Package redis is the fast no in front of the store, and the feed between
// replicas. Both may lose everything at any time.
package redis

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

var (
	//go:embed take.lua
	takeSource string
	//go:embed settle.lua
	settleSource string

	takeScript   = redis.NewScript(takeSource)
	settleScript = redis.NewScript(settleSource)
)

// grace keeps a lock a little longer than its hold: the sweep frees it.
const grace = 10 * time.Second

// endedFor is how long it is remembered that a booking has ended: longer than
// any word about what it was before can be late.
const endedFor = 5 * time.Minute

// soldFor is how long a sold seat is locked; then the store refuses it once, and
// it is locked again. A replica may die before it takes a lock back.
const soldFor = 10 * time.Minute

// exclusiveFor is how long an attempt keeps twins out: they only save each
// other work, the store lets one of them win in any case.
const exclusiveFor = 3 * time.Second

// Locks implements booking.Locks with one Lua script a hold.
type Locks struct {
	client *redis.Client
	settle chan settlement
}

type settlement struct {
	event    uuid.UUID
	outcomes []booking.LockOutcome
}

// NewLocks returns locks; what became of seats is written by Run.
func NewLocks(client *redis.Client) *Locks {
	return &Locks{client: client, settle: make(chan settlement, 4096)}
}

func prefix(event uuid.UUID) string { return "fr:{" + event.String() + "}:" }

func readyKey(event uuid.UUID) string { return prefix(event) + "ready" }

func buyerKey(event, user uuid.UUID) string { return prefix(event) + "u:" + user.String() }

func bookingKey(event, id uuid.UUID) string { return prefix(event) + "b:" + id.String() }

func endedKey(event, id uuid.UUID) string { return prefix(event) + "e:" + id.String() }

func seatKey(event uuid.UUID, seat booking.SeatID) string {
	return prefix(event) + "s:" + seat.String()
}

// Take implements booking.Locks.
func (l *Locks) Take(ctx context.Context, req booking.LockRequest) (booking.LockAnswer, error) {
	keys := make([]string, 0, 3+len(req.Seats))
	keys = append(keys, readyKey(req.Event), buyerKey(req.Event, req.User), bookingKey(req.Event, req.Booking))
	for _, seat := range req.Seats {
		keys = append(keys, seatKey(req.Event, seat))
	}
	attempt := ""
	if req.Exclusive {
		attempt = uuid.NewString()
	}
	answer, err := takeScript.Run(ctx, l.client, keys, req.Booking.String(), req.Deadline,
		grace.Milliseconds(), req.Limit, attempt, exclusiveFor.Milliseconds()).Slice()
	if err != nil {
		return booking.LockAnswer{}, fmt.Errorf("redis: take: %w", err)
	}
	verdict, _ := answer[0].(string)
	switch verdict {
	case "ok":
		return booking.LockAnswer{Verdict: booking.LocksTaken}, nil
	case "cold":
		return booking.LockAnswer{Verdict: booking.LocksCold}, nil
	case "twin":
		return booking.LockAnswer{Verdict: booking.LocksTwin}, nil
	case "limit":
		held, _ := answer[1].(int64)
		return booking.LockAnswer{Verdict: booking.LocksOverLimit, Held: int(held)}, nil
	case "taken":
		a := booking.LockAnswer{Verdict: booking.LocksRefused}
		for _, n := range answer[1:] {
			if i, ok := n.(int64); ok && i >= 0 && int(i) < len(req.Seats) {
				a.Taken = append(a.Taken, req.Seats[i])
			}
		}
		return a, nil
	}
	return booking.LockAnswer{}, fmt.Errorf("redis: take: unexpected answer %v", answer)
}

// Settle implements booking.Locks. It does not wait; when too much is waiting
// already the outcome is dropped, and the lock's own expiry must do.
func (l *Locks) Settle(_ context.Context, event uuid.UUID, outcomes []booking.LockOutcome) {
	select {
	case l.settle <- settlement{event, outcomes}:
	default:
	}
}

// Run writes outcomes until ctx ends, and then those that are waiting.
func (l *Locks) Run(ctx context.Context) error {
	for {
		select {
		case s := <-l.settle:
			l.write(l.gather(s))
		case <-ctx.Done():
			for len(l.settle) > 0 {
				l.write(l.gather(<-l.settle))
			}
			return nil
		}
	}
}

// gather takes what else is waiting, so that it goes in one round trip.
func (l *Locks) gather(first settlement) []settlement {
	all := []settlement{first}
	for len(all) < 256 {
		select {
		case s := <-l.settle:
			all = append(all, s)
		default:
			return all
		}
	}
	return all
}

func (l *Locks) write(all []settlement) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	pipe := l.client.Pipeline()
	for _, s := range all {
		for _, o := range s.outcomes {
			settle(ctx, pipe, s.event, o)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		slog.Debug("locks could not be settled; they expire by themselves", "error", err)
	}
}

// settle queues one outcome. EVAL and not EVALSHA: a pipeline cannot fall back.
func settle(ctx context.Context, pipe redis.Pipeliner, event uuid.UUID, o booking.LockOutcome) {
	keys := make([]string, 0, 3+len(o.Seats))
	keys = append(keys, buyerKey(event, o.User), bookingKey(event, o.Booking), endedKey(event, o.Booking))
	for _, seat := range o.Seats {
		keys = append(keys, seatKey(event, seat))
	}
	settleScript.Eval(ctx, pipe, keys, o.Booking.String(), o.State.String(), strconv.FormatInt(o.Deadline, 10),
		grace.Milliseconds(), b2i(o.User != uuid.Nil), b2i(o.Ended)*endedFor.Milliseconds(), soldFor.Milliseconds())
}

// Warm implements booking.Locks.
func (l *Locks) Warm(ctx context.Context, event uuid.UUID, outcomes []booking.LockOutcome) error {
	const chunk = 500
	for len(outcomes) > 0 {
		n := min(chunk, len(outcomes))
		pipe := l.client.Pipeline()
		for _, o := range outcomes[:n] {
			settle(ctx, pipe, event, o)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("redis: warm: %w", err)
		}
		outcomes = outcomes[n:]
	}
	if err := l.client.Set(ctx, readyKey(event), "1", 0).Err(); err != nil {
		return fmt.Errorf("redis: warm: %w", err)
	}
	return nil
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
