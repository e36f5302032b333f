package eventlog

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// SetRoundLimit limits the calls of one round; 0 restores the default.
func SetRoundLimit(n int) {
	if n <= 0 {
		n = maxRound
	}
	roundLimit.Store(int32(n))
}

// Owns reports whether this replica owns a log.
func (e *Engine) Owns(id ID) bool { return e.replicas.Owner(id) == "" }

// Forget drops a log from memory without writing a snapshot: the next call
// loads it as a newly started replica does.
func (e *Engine) Forget(id ID) {
	e.mu.Lock()
	l := e.logs[id]
	if l == nil {
		e.mu.Unlock()
		return
	}
	seq := l.state.Seq
	delete(e.logs, id)
	e.idle[id] = idleLog{head: seq, published: true}
	e.mu.Unlock()
	for range 3 { // more than the channel's capacity: the loop has received one
		l.snapshotting <- seq
	}
	close(l.stop)
}

// HoldPairs holds the pairs of neighbours starting at seat first, each for a
// different buyer, atOnce at a time. It returns how many were accepted and how
// long it took.
func (e *Engine) HoldPairs(ctx context.Context, event uuid.UUID, first, pairs, atOnce int) (accepted int, took time.Duration) {
	next := make(chan uint32)
	var mu sync.Mutex
	var group sync.WaitGroup
	begin := time.Now()
	for range atOnce {
		group.Go(func() {
			for seat := range next {
				user := uuid.New()
				hold := &logpb.Hold{
					Booking: booking.OwnHalf(uuid.New()), User: user[:], Holder: "buyer@frontrow.example", Event: event[:], Seats: []uint32{seat, seat + 1},
				}
				command := &logpb.Command{Event: uint64(IDOf(event)), Kind: &logpb.Command_Hold{Hold: hold}}
				if answer, err := e.Hold(ctx, command); err == nil && answer.GetRefusal() == "" {
					mu.Lock()
					accepted++
					mu.Unlock()
				}
			}
		})
	}
	for i := range pairs {
		next <- uint32(first + 2*i)
	}
	close(next)
	group.Wait()
	return accepted, time.Since(begin)
}
