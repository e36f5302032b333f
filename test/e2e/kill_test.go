package e2e

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestKilledBookingReplicaLosesNothingThatWasAcknowledged(t *testing.T) {
	killInMidSaga(t, "booking-service-1", "booking-service-2", "booking-service-3")
}

func TestKilledPaymentReplicaLosesNoMoney(t *testing.T) {
	killInMidSaga(t, "payment-service-1", "payment-service-2", "payment-service-1")
}

// Kafka withholds a killed replica's share of the bookings until it has removed
// the replica from the group, but buyers can still pay.
func TestKilledPaymentReplicaCausesNoRefusals(t *testing.T) {
	const seats = 24 // in all partitions
	s := newSaleIn(t, plan(1, seats), func(e *client.NewEvent) { e.MaxSeatsPerBuyer = seats })
	buyer := newBuyer(t)
	kill(t, "payment-service-1")
	var paid []string
	for i := range seats {
		booking := hold(t, buyer, s.seats(seatID(1, i)))
		must(buyer.Pay(t.Context(), booking.ID, "pm_ok", newKey()))(t)
		paid = append(paid, booking.ID)
	}
	for _, id := range paid {
		awaitBooking(t, buyer, id, "confirmed")
	}
	checkLedger(t, s, seats*frontPrice)
}

func TestKilledBackendLosesNothingThatWasAcknowledged(t *testing.T) {
	for _, backend := range []string{"redis", "kafka", "postgres", "cassandra", "consul"} {
		t.Run(backend, func(t *testing.T) { killInMidSaga(t, backend) })
	}
}

// killInMidSaga lets buyers hold and pay continuously while replicas die one
// after another, then checks the outcome of everything that was answered 2xx.
func killInMidSaga(t *testing.T, victims ...string) {
	t.Helper()
	const buyers = 24
	s := newSaleIn(t, plan(buyers, purchasesPerBuyer), func(e *client.NewEvent) { e.MaxSeatsPerBuyer = purchasesPerBuyer })
	crowd := newBuyers(t, buyers)
	verify(t, crowd...)
	traffic, quit := context.WithCancel(t.Context())
	defer quit()
	outcomes := make([]acknowledged, buyers)
	var done sync.WaitGroup
	for i, buyer := range crowd {
		done.Go(func() { outcomes[i].run(traffic, t.Context(), buyer, s, i) })
	}
	defer func() {
		quit()
		done.Wait()
		for i := range outcomes {
			if t.Failed() {
				t.Logf("buyer %d: %d holds, error: %v", i, outcomes[i].count(), outcomes[i].err)
			}
		}
	}()
	for _, victim := range victims {
		progress := func() (n int) {
			for i := range outcomes {
				n += outcomes[i].count()
			}
			return n
		}
		before := progress()
		testkit.Eventually(t, "sagas are under way", func() bool { return progress() >= before+buyers })
		kill(t, victim)
		testkit.Eventually(t, "the others go on", func() bool { return progress() >= before+2*buyers })
	}
	quit()
	done.Wait()

	var captured int64
	paid := 0
	for i, buyer := range crowd {
		if outcomes[i].err != nil {
			t.Errorf("buyer %d: %v", i, outcomes[i].err)
		}
		for _, a := range outcomes[i].holds {
			if !a.paid {
				must(buyer.Booking(t.Context(), a.id))(t) // it must at least exist
				continue
			}
			b := awaitBooking(t, buyer, a.id, "confirmed")
			captured += b.Total.Amount
			paid++
		}
	}
	t.Logf("%d bookings paid and confirmed", paid)
	checkLedger(t, s, captured)
}

// acknowledged has what one buyer's successful responses acknowledged.
type acknowledged struct {
	mu    sync.Mutex
	holds []acknowledgedHold
	err   error
}

type acknowledgedHold struct {
	id   string
	paid bool
}

func (a *acknowledged) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.holds)
}

// purchasesPerBuyer is how many seats a buyer can have, a row of the front. Together they
// are enough for as long as it takes to kill three processes.
const purchasesPerBuyer = 50

// run holds and pays until traffic ends; it finishes running requests.
func (a *acknowledged) run(traffic, ctx context.Context, buyer account, s sale, number int) {
	methods := []string{"pm_ok", "pm_duplicate_webhook", "pm_unknown", "pm_slow"}
	for n := 0; n < purchasesPerBuyer && traffic.Err() == nil; n++ {
		seat := number*purchasesPerBuyer + n
		booking, err := retryUntilFinal(ctx, func(key string) (client.Booking, error) {
			return buyer.Hold(ctx, s.seats(seatID(1+seat/300, seat%300)), key) // a block has 300 seats
		})
		if err != nil {
			a.err = fmt.Errorf("hold: %w", err)
			return
		}
		_, err = retryUntilFinal(ctx, func(key string) (client.Payment, error) {
			return buyer.Pay(ctx, booking.ID, methods[n%len(methods)], key)
		})
		a.mu.Lock()
		a.holds = append(a.holds, acknowledgedHold{id: booking.ID, paid: err == nil})
		a.mu.Unlock()
		if err != nil {
			a.err = fmt.Errorf("pay: %w", err)
			return
		}
	}
}

// retryUntilFinal repeats a request with one key until it gets a final answer.
func retryUntilFinal[T any](ctx context.Context, call func(key string) (T, error)) (T, error) {
	key := newKey()
	deadline := time.Now().Add(time.Minute)
	for {
		out, err := call(key)
		p := client.AsProblem(err)
		if err == nil || (p != nil && p.Status < 500) || ctx.Err() != nil || time.Now().After(deadline) {
			return out, err
		}
		if p != nil && p.Status == 500 {
			return out, errors.Join(errors.New("an internal error"), err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond): // between two attempts, as a client does
		}
	}
}
