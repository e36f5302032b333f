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
	// maxGroup limits the changes in one transaction.
	maxGroup = 256
	// groupTimeout limits one transaction.
	groupTimeout = 10 * time.Second
)

// change is a pending change of one purchase.
type change struct {
	ctx context.Context
	// The purchase of a booking or, if booking is uuid.Nil, of a payment.
	booking, payment uuid.UUID
	// created, if not nil, is stored first unless the booking is known.
	created *events.BookingCreated
	// request, if it has a key, is skipped if it has already started a payment.
	request Request
	fn      func(*payment.Purchase) (*payment.Payment, error)

	// started is fn's result, or the payment that request started earlier.
	started  *payment.Payment
	replayed bool
	err      error
	done     chan struct{}
	retried  bool
}

// groups commits changes in groups: those that arrive during a transaction
// share the next one (group commit, DeWitt et al., 1984).
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

// commit commits a group. When Postgres rejects the data of one change, each is
// tried alone. A change that lost a race against another replica is retried.
func (s *Store) commit(group []*change) {
	err := s.storeCreated(group)
	if err == nil {
		err = s.inTx(context.Background(), func(ctx context.Context, tx pgx.Tx) (bool, error) { return applyGroup(ctx, tx, group) })
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

// storeCreated stores the bookings that came with the changes, in a separate
// transaction: each transaction locks bookings once, in the order of their ids,
// so that transactions cannot deadlock.
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

// refused reports whether Postgres rejected a statement, or aborted it for a
// deadlock: in both cases nothing of the group was done.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") || strings.HasPrefix(pg.Code, "40"))
}

// applyGroup makes the changes of a group in one transaction. A change whose fn
// fails keeps its error and does not affect the others.
func applyGroup(ctx context.Context, tx pgx.Tx, group []*change) (refundDue bool, err error) {
	var bookings, payments []uuid.UUID
	var requests []Request
	for _, c := range group {
		c.started, c.replayed, c.err = nil, false, nil
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
			c.started, c.replayed = before, true
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
		if c.started, c.err = c.fn(p); c.started == nil {
			continue
		}
		c.started.Traceparent = traceparent(c.ctx)
		if key.key != "" {
			c.started.IdempotencyKey, c.started.RequestHash = key.key, c.request.Hash
			loaded.byRequest[key] = c.started
		}
	}
	return save(ctx, tx, loaded)
}
