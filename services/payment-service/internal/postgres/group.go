package postgres

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

const (
	// maxGroup bounds the changes of one transaction.
	maxGroup = 256
	// groupTimeout bounds one transaction.
	groupTimeout = 10 * time.Second
)

// change is a change of one purchase that waits for its transaction.
type change struct {
	ctx context.Context
	// The purchase is that of a booking or, if booking is uuid.Nil, of a payment.
	booking, payment uuid.UUID
	// created, if set, is stored first unless the booking is known.
	created *events.BookingCreated
	// request, if it has a key, is not carried out when a payment was begun by it before.
	request Request
	fn      func(*payment.Purchase) (*payment.Payment, error)

	// begun is what fn returned, or the payment begun by request before.
	begun    *payment.Payment
	replayed bool
	err      error
	done     chan struct{}
	retried  bool
}

// groups commits changes in groups: those that arrive while a transaction is
// under way share the next one (group commit, DeWitt et al., 1984).
type groups struct {
	mu      sync.Mutex
	waiting []*change
	running bool
}

// do returns when c is committed or has failed.
func (s *Store) do(c *change) error {
	c.done = make(chan struct{})
	g := &s.groups
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	if !g.running {
		g.running = true
		go s.commitWaiting()
	}
	g.mu.Unlock()
	<-c.done
	return c.err
}

func (s *Store) commitWaiting() {
	g := &s.groups
	for {
		g.mu.Lock()
		n := min(len(g.waiting), maxGroup)
		if n == 0 {
			g.running = false
			g.mu.Unlock()
			return
		}
		group := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.mu.Unlock()
		s.commit(group)
	}
}

// commit carries a group out. When Postgres refuses the data of one change, each
// is tried alone; one that lost a race against another replica is tried again.
func (s *Store) commit(group []*change) {
	err := s.storeCreated(group)
	if err == nil {
		err = s.inTx(context.Background(), func(ctx context.Context, tx pgx.Tx) (bool, error) { return carryOut(ctx, tx, group) })
	}
	switch {
	case refused(err) && len(group) > 1:
		for i := range group {
			s.commit(group[i : i+1])
		}
		return
	case refused(err) && !group[0].retried:
		group[0].retried = true
		s.commit(group)
		return
	}
	for _, c := range group {
		if err != nil {
			c.err = err
		}
		close(c.done)
	}
}

// storeCreated stores the bookings that changes came with, in a transaction of
// their own: each transaction locks bookings once, in the order of their ids, so
// that no two wait for each other.
func (s *Store) storeCreated(group []*change) error {
	var created []events.BookingCreated
	for _, c := range group {
		if c.created != nil {
			created = append(created, *c.created)
		}
	}
	if len(created) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	return s.BookingsCreated(ctx, created)
}

// refused tells whether Postgres refused what a statement said, or ended it for
// a deadlock: then nothing of the group was done.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") || strings.HasPrefix(pg.Code, "40"))
}

// carryOut makes the changes of a group in one transaction. A change whose fn
// fails keeps its error and leaves the others alone.
func carryOut(ctx context.Context, tx pgx.Tx, group []*change) (owed bool, err error) {
	var bookings, payments []uuid.UUID
	var requests []Request
	for _, c := range group {
		c.begun, c.replayed, c.err = nil, false, nil
		if c.booking != uuid.Nil {
			bookings = append(bookings, c.booking)
		} else {
			payments = append(payments, c.payment)
		}
		if c.request.Key != "" {
			requests = append(requests, c.request)
		}
	}
	loaded, err := load(ctx, tx, bookings, payments, requests)
	if err != nil {
		return false, err
	}
	for _, c := range group {
		key := requestKey{c.request.User, c.request.Key}
		if before := loaded.byRequest[key]; before != nil {
			c.begun, c.replayed = before, true
			if !bytes.Equal(before.RequestHash, c.request.Hash) {
				c.err = postgres.ErrKeyReused
			}
			continue
		}
		p := loaded.byBooking[c.booking]
		if c.booking == uuid.Nil {
			p = loaded.byPayment[c.payment]
		}
		if p == nil {
			c.err = payment.ErrNotFound
			continue
		}
		if c.begun, c.err = c.fn(p); c.begun == nil {
			continue
		}
		c.begun.Traceparent = traceparent(c.ctx)
		if key.key != "" {
			c.begun.IdempotencyKey, c.begun.RequestHash = key.key, c.request.Hash
			loaded.byRequest[key] = c.begun
		}
	}
	return save(ctx, tx, loaded)
}
