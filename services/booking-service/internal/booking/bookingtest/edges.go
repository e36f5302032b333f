package bookingtest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// ColdLocks are locks that are never there: the store alone decides.
type ColdLocks struct{}

// Take implements booking.Locks.
func (ColdLocks) Take(context.Context, booking.LockRequest) (booking.LockAnswer, error) {
	return booking.LockAnswer{}, errors.New("redis is down")
}

// Settle implements booking.Locks.
func (ColdLocks) Settle(context.Context, uuid.UUID, []booking.LockOutcome) {}

// Warm implements booking.Locks.
func (ColdLocks) Warm(context.Context, uuid.UUID, []booking.LockOutcome) error { return nil }

// NoFeed tells nobody anything.
type NoFeed struct{}

// PublishDelta implements booking.Feed.
func (NoFeed) PublishDelta(booking.Delta) {}

// Outbox records what is published, and fails on demand.
type Outbox struct {
	mu   sync.Mutex
	fail error
	sent []booking.Message
}

// Fail makes every publication fail with err from now on; nil: none.
func (o *Outbox) Fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = err
}

// Publish implements booking.Outbox.
func (o *Outbox) Publish(messages []booking.Message, _ string, done func(error)) {
	o.mu.Lock()
	err := o.fail
	if err == nil {
		o.sent = append(o.sent, messages...)
	}
	o.mu.Unlock()
	done(err)
}

// Messages returns all that was published, duplicates included.
func (o *Outbox) Messages() []booking.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.sent)
}

// Sent returns the types of the different messages published so far.
func (o *Outbox) Sent() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := map[uuid.UUID]bool{}
	var types []string
	for _, m := range o.sent {
		if !seen[m.ID] {
			seen[m.ID] = true
			types = append(types, m.Type)
		}
	}
	return types
}
