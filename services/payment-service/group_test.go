package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
	payments "github.com/frontrow-tickets/frontrow/services/payment-service/internal/postgres"
)

// start returns the function that Store.Pay calls to start a payment of user's.
func start(user uuid.UUID, method string) func(*payment.Purchase) (*payment.Payment, error) {
	return func(p *payment.Purchase) (*payment.Payment, error) {
		return p.Start(uuid.Must(uuid.NewV7()), user, method, time.Now().UTC())
	}
}

func TestPaymentsShareATransactionAndFailAlone(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	const n = 100
	bookings := make([]events.BookingCreated, n)
	for i := range bookings {
		bookings[i] = newBooking(100)
	}
	p.held(t, bookings...)
	// The first payment waits for a lock, and the others wait for it.
	lock, err := p.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := lock.Exec(t.Context(), `SELECT FROM bookings WHERE booking_id = $1 FOR UPDATE`, bookings[0].BookingID); err != nil {
		t.Fatal(err)
	}
	begun, errs := make([]*payment.Payment, n), make([]error, n)
	var wg sync.WaitGroup
	pay := func(i int) {
		booking, user, method := bookings[i].BookingID, bookings[i].UserID, "pm_ok"
		switch i {
		case 10:
			user = uuid.New()
		case 20:
			booking = uuid.New()
		case 30:
			method = "\xff" // Postgres rejects this text
		}
		wg.Go(func() {
			begun[i], _, errs[i] = p.store.Pay(t.Context(), payments.Request{}, booking, nil, start(user, method))
		})
	}
	pay(0)
	testkit.Eventually(t, "the first payment waits", func() bool {
		return p.count(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
	})
	for i := 1; i < n; i++ {
		pay(i)
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	for i, err := range errs {
		switch i {
		case 10:
			if !errors.Is(err, payment.ErrNotYours) {
				t.Errorf("a payment of someone else's booking: %v", err)
			}
		case 20:
			if !errors.Is(err, payment.ErrNotFound) {
				t.Errorf("a payment of no booking: %v", err)
			}
		case 30:
			if err == nil {
				t.Error("a method that is no text was stored")
			}
		default:
			if err != nil || begun[i].BookingID != bookings[i].BookingID {
				t.Errorf("payment %d: %+v %v", i, begun[i], err)
			}
		}
	}
	if got := p.count(t, `SELECT count(*) FROM payments`); got != n-3 {
		t.Errorf("%d payments, want %d", got, n-3)
	}
	// The changes of the group that Postgres rejected were carried out one by
	// one; this group is accepted.
	for i := range n {
		if begun[i] != nil && errs[i] == nil {
			wg.Go(func() {
				errs[i] = p.store.Update(t.Context(), begun[i].ID, func(pu *payment.Purchase) error {
					return pu.Capture(begun[i].ID, "ch", begun[i].Amount, time.Now())
				})
			})
		}
	}
	wg.Wait()
	transactions := p.count(t, `SELECT count(DISTINCT xmin::text) FROM payments WHERE status = 'succeeded'`)
	if transactions == 0 || transactions > n/2 {
		t.Errorf("%d transactions recorded %d captures", transactions, n-3)
	}
	if got := p.count(t, `SELECT count(*) FROM outbox`); got != n-3 {
		t.Errorf("%d messages, want %d", got, n-3)
	}
}

func TestSameKeyAtTwoReplicasStartsOnePayment(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	replicas := []*payments.Store{p.store, {Pool: p.pool, OnRefundDue: func() {}}}
	for round := range 50 {
		b, other := newBooking(100), newBooking(200)
		other.UserID = b.UserID
		p.held(t, b, other)
		key := fmt.Sprint("key-", round)
		var ids [2]uuid.UUID
		var errs [2]error
		both := func(request func(i int) (payments.Request, uuid.UUID)) {
			var wg sync.WaitGroup
			begin := make(chan struct{})
			for i, replica := range replicas {
				wg.Go(func() {
					r, booking := request(i)
					<-begin
					var begun *payment.Payment
					if begun, _, errs[i] = replica.Pay(t.Context(), r, booking, nil, start(b.UserID, "pm_ok")); errs[i] == nil {
						ids[i] = begun.ID
					}
				})
			}
			close(begin)
			wg.Wait()
		}
		if round%2 == 0 {
			both(func(int) (payments.Request, uuid.UUID) {
				return payments.Request{User: b.UserID, Key: key, Hash: []byte("same")}, b.BookingID
			})
			if errs[0] != nil || errs[1] != nil || ids[0] != ids[1] {
				t.Fatalf("one request at two replicas: %v %v, %v", errs[0], errs[1], ids)
			}
			continue
		}
		both(func(i int) (payments.Request, uuid.UUID) {
			return payments.Request{User: b.UserID, Key: key, Hash: []byte{byte(i)}}, []uuid.UUID{b.BookingID, other.BookingID}[i]
		})
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("one key for two requests: %v, %v", errs[0], errs[1])
		}
		if err := errors.Join(errs[0], errs[1]); !errors.Is(err, postgres.ErrKeyReused) {
			t.Fatalf("one key for two requests: %v", err)
		}
	}
}

func TestPaymentsAndMessagesOfTheSameBookingsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	replicas := []*payments.Store{p.store, {Pool: p.pool, OnRefundDue: func() {}}}
	for range 20 {
		bookings := make([]events.BookingCreated, 40)
		for i := range bookings {
			bookings[i] = newBooking(100)
		}
		known := bookings[:20]
		p.held(t, known...) // the messages about the others are late
		var wg sync.WaitGroup
		for i, b := range bookings {
			created := &b
			if i < len(known) {
				created = nil
			}
			wg.Go(func() {
				if _, _, err := replicas[i%2].Pay(t.Context(), payments.Request{}, b.BookingID, created, start(b.UserID, "pm_ok")); err != nil {
					t.Error(err)
				}
			})
		}
		for range 4 {
			wg.Go(func() {
				if err := p.store.BookingsCreated(t.Context(), bookings); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	// A connection's statistics are written when it is idle.
	p.pool.Reset()
	if n := p.count(t, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}
