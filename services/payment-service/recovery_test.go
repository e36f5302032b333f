package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
	payments "github.com/frontrow-tickets/frontrow/services/payment-service/internal/postgres"
)

// begin stores a payment as POST /payments does.
func (p *program) begin(t *testing.T, b events.BookingCreated, method string) payment.Payment {
	t.Helper()
	begun, _, err := p.store.Pay(t.Context(), payments.Request{}, b.BookingID, nil, func(pu *payment.Purchase) (*payment.Payment, error) {
		return pu.Start(uuid.Must(uuid.NewV7()), b.UserID, method, time.Now().UTC())
	})
	if err != nil {
		t.Fatal(err)
	}
	return *begun
}

func TestWorkerThatDiesAfterTheChargeLeavesOneCharge(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	provider := p.provider.client()
	open, ended := newBooking(400), newBooking(400)
	p.held(t, open, ended)
	var ids []uuid.UUID
	for _, b := range []events.BookingCreated{open, ended} {
		// pm_unknown: no webhook will arrive for the charge.
		pay := p.begin(t, b, "pm_unknown")
		ids = append(ids, pay.ID)
	}
	for _, id := range ids {
		if _, err := provider.Charge(t.Context(), id.String(), "pm_unknown", open.Total); err == nil {
			t.Fatal("pm_unknown answered")
		}
	}
	// The worker dies here. One of the bookings is cancelled meanwhile.
	if err := p.store.BookingsCancelled(t.Context(), []events.BookingCancelled{cancelled(ended, events.HoldExpired)}); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	p.becomes(t, open.UserID, ids[0], payment.Succeeded)
	p.becomes(t, ended.UserID, ids[1], payment.Refunded)
	if n := p.provider.count(t, `SELECT count(*) FROM charges`); n != 2 {
		t.Errorf("%d charges for two payments", n)
	}
	p.balanced(t, 400)
}

func TestPaymentOfAnEndedBookingThatTheProviderHasNotHeardOfIsNotCharged(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	b := newBooking(400)
	p.held(t, b)
	// The worker dies before the charge.
	pay := p.begin(t, b, "pm_ok")
	if err := p.store.BookingsCancelled(t.Context(), []events.BookingCancelled{cancelled(b, events.HoldExpired)}); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	if v := p.becomes(t, b.UserID, pay.ID, payment.Failed); v.FailureCode != payment.BookingEnded {
		t.Errorf("failure code %q", v.FailureCode)
	}
	if n := p.provider.count(t, `SELECT count(*) FROM charges`); n != 0 {
		t.Errorf("%d charges", n)
	}
}

// lossy is a provider that the first charge does not reach. lost is called then.
type lossy struct {
	payment.Provider
	lost func()
}

func (l *lossy) Charge(ctx context.Context, key, method string, amount events.Money) (payment.Charge, error) {
	if lost := l.lost; lost != nil {
		l.lost = nil
		lost()
		return payment.Charge{}, errors.New("connection reset")
	}
	return l.Provider.Charge(ctx, key, method, amount)
}

func TestBookingThatEndsBeforeTheChargeIsNotCharged(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		waited time.Duration
		// lostBefore reports whether the booking ends during a charge that does
		// not reach the provider, and not before.
		lostBefore bool
		status     payment.Status
	}{
		"while it waits in the queue":    {waited: time.Minute, status: payment.Failed},
		"while the first charge is lost": {lostBefore: true, status: payment.Processing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProgram(t)
			b := newBooking(400)
			p.held(t, b)
			pay := p.begin(t, b, "pm_ok")
			end := func() {
				if err := p.store.BookingsCancelled(t.Context(), []events.BookingCancelled{cancelled(b, events.CancelledByBuyer)}); err != nil {
					t.Error(err)
				}
			}
			provider := &lossy{Provider: p.provider.client(), lost: end}
			if !tc.lostBefore {
				end()
				provider.lost = nil
			}
			pay.CreatedAt = pay.CreatedAt.Add(-tc.waited)
			charger := payment.Charger{Store: p.store, Provider: provider}
			err := charger.Charge(t.Context(), payment.Job{Payment: pay, Tries: 1})
			if got, rerr := p.store.Payment(t.Context(), pay.ID); rerr != nil || got.Status != tc.status {
				t.Errorf("%+v (%v), want %s; %v", got, rerr, tc.status, err)
			}
			if n := p.provider.count(t, `SELECT count(*) FROM charges`); n != 0 {
				t.Errorf("%d charges", n)
			}
			// Once the lost charge can no longer arrive, the payment fails.
			p.start(t)
			if v := p.becomes(t, b.UserID, pay.ID, payment.Failed); v.FailureCode != payment.BookingEnded {
				t.Errorf("failure code %q", v.FailureCode)
			}
			p.balanced(t, 0)
		})
	}
}

func TestOtherReplicaFinishesWorkOfStoppedReplica(t *testing.T) {
	t.Parallel()
	first := newProgram(t).start(t)
	second := *first
	second.start(t)
	const n = 80
	bookings := make([]events.BookingCreated, n)
	ids := make([]uuid.UUID, n)
	var wg sync.WaitGroup
	for i := range n {
		bookings[i] = newBooking(10)
		first.held(t, bookings[i])
		wg.Go(func() {
			at := []*program{first, &second}[i%2]
			if i >= n/2 {
				at = &second // the first is about to stop
			}
			ids[i] = at.pay(t, bookings[i], []string{"pm_ok", "pm_slow", "pm_unknown", "pm_duplicate_webhook"}[i%4]).ID
		})
		if i == n/2 {
			wg.Wait()
			wg.Go(first.stop)
		}
	}
	wg.Wait()
	for i, id := range ids {
		second.becomes(t, bookings[i].UserID, id, payment.Succeeded)
	}
	second.balanced(t, 10*n)
	if charges := second.provider.count(t, `SELECT count(*) FROM charges`); charges != n {
		t.Errorf("%d charges for %d payments", charges, n)
	}
}

// Whichever comes first, the other must see it: the money is refunded, once.
func TestConcurrentCancelAndCaptureRefundsPayment(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	const rounds = 300
	for range rounds {
		b := newBooking(10)
		p.held(t, b)
		pay := p.begin(t, b, "pm_ok")
		var wg sync.WaitGroup
		begin := make(chan struct{})
		wg.Go(func() {
			<-begin
			if err := p.store.Update(t.Context(), pay.ID, func(pu *payment.Purchase) error {
				return pu.Capture(pay.ID, "ch", b.Total, time.Now())
			}); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			<-begin
			if err := p.store.BookingsCancelled(t.Context(), []events.BookingCancelled{cancelled(b, events.HoldExpired)}); err != nil {
				t.Error(err)
			}
		})
		close(begin)
		wg.Wait()
	}
	if n := p.count(t, `SELECT count(*) FROM payments WHERE status <> 'refunding'`); n != 0 {
		t.Errorf("%d of %d cancelled bookings keep money", n, rounds)
	}
	if n := p.count(t, `SELECT count(*) FROM refunds`); n != rounds {
		t.Errorf("%d refunds for %d payments", n, rounds)
	}
}

func TestReconciler(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	provider := p.provider.client()
	later := time.Now().Add(time.Minute)
	charger := payment.Charger{Store: p.store, Provider: provider}
	rec := payment.Reconciler{Charger: charger, Now: func() time.Time { return later }}
	charge := func(id, method string, amount int64) {
		t.Helper()
		_, err := provider.Charge(t.Context(), id, method, events.Money{Amount: amount, Currency: "EUR"})
		if method != "pm_unknown" && err != nil {
			t.Fatal(err)
		}
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := p.pool.Exec(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	bookings := []events.BookingCreated{newBooking(100), newBooking(200), newBooking(400)}
	p.held(t, bookings...)
	lost, stuck, owing := p.begin(t, bookings[0], "pm_ok"), p.begin(t, bookings[1], "pm_declined"), p.begin(t, bookings[2], "pm_ok")
	charge(lost.ID.String(), "pm_ok", 100)
	charge(stuck.ID.String(), "pm_declined", 200)
	charge(owing.ID.String(), "pm_ok", 400)
	charge("not-ours", "pm_ok", 1)
	testkit.Eventually(t, "all have settled", func() bool {
		return p.provider.count(t, `SELECT count(*) FROM charges WHERE settles_at > now()`) == 0
	})
	// A capture recorded as a failure, a decline that never arrived, and money
	// kept for a booking that has ended.
	exec(`UPDATE payments SET status = 'failed', failure_code = 'lost' WHERE id = $1`, lost.ID)
	exec(`UPDATE payments SET created_at = created_at - interval '1 hour' WHERE id = $1`, stuck.ID)
	if err := p.store.Update(t.Context(), owing.ID, func(pu *payment.Purchase) error {
		return pu.Capture(owing.ID, chargeID(t, p, owing.ID), owing.Amount, time.Now())
	}); err != nil {
		t.Fatal(err)
	}
	exec(`UPDATE bookings SET state = 'cancelled', cancel_reason = 'expired' WHERE booking_id = $1`, bookings[2].BookingID)

	rep, err := rec.Round(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Repairs["capture"] != 1 || rep.Repairs["stuck"] != 1 || rep.Repairs["refund"] != 1 || rep.Alerts["unknown_charge"] != 1 {
		t.Errorf("%+v", rep)
	}
	if rep.Drift["EUR"] != 1 { // the charge that is not ours
		t.Errorf("drift %v, want 1", rep.Drift)
	}
	for id, want := range map[uuid.UUID]payment.Status{lost.ID: payment.Succeeded, stuck.ID: payment.Failed, owing.ID: payment.Refunding} {
		if got, err := p.store.Payment(t.Context(), id); err != nil || got.Status != want {
			t.Errorf("%+v %v, want %s", got, err, want)
		}
	}
	rep, err = rec.Round(t.Context())
	if err != nil || len(rep.Repairs) != 0 || len(rep.Alerts) != 0 {
		t.Errorf("a second round found something: %+v %v", rep, err)
	}
}

func chargeID(t *testing.T, p *program, id uuid.UUID) (charge string) {
	t.Helper()
	if err := p.provider.books.QueryRow(t.Context(), `SELECT id FROM charges WHERE key = $1`, id.String()).Scan(&charge); err != nil {
		t.Fatal(err)
	}
	return charge
}

func TestProviderActsOnceForAKeyAndRefundsNoMoreThanItCaptured(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	provider := p.provider.client()
	eur := func(n int64) events.Money { return events.Money{Amount: n, Currency: "EUR"} }
	c, err := provider.Charge(t.Context(), "k", "pm_ok", eur(100))
	if err != nil {
		t.Fatal(err)
	}
	again, err := provider.Charge(t.Context(), "k", "pm_ok", eur(100))
	if err != nil || again.ID != c.ID {
		t.Errorf("%+v %v, want the charge %s", again, err, c.ID)
	}
	if _, err := provider.Charge(t.Context(), "k", "pm_ok", eur(101)); !errors.Is(err, payment.ErrRejected) {
		t.Errorf("another amount under the same key: %v", err)
	}
	if _, err := provider.Lookup(t.Context(), "nobody"); !errors.Is(err, payment.ErrNoCharge) {
		t.Errorf("unknown key: %v", err)
	}
	testkit.Eventually(t, "it is captured", func() bool {
		c, err := provider.Lookup(t.Context(), "k")
		return err == nil && c.Status == payment.ChargeCaptured
	})
	first, err := provider.Refund(t.Context(), "r", c.ID, eur(60))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := provider.Refund(t.Context(), "r", c.ID, eur(60)); err != nil || !second.Equal(first) {
		t.Errorf("the same refund again: %v %v", second, err)
	}
	if _, err := provider.Refund(t.Context(), "r2", c.ID, eur(41)); !errors.Is(err, payment.ErrRejected) {
		t.Errorf("refunded more than was captured: %v", err)
	}
	ledger, err := provider.Ledger(t.Context(), time.Now())
	if want := (payment.Balance{Captured: 100, Refunded: 60, Net: 40}); err != nil || ledger["EUR"] != want {
		t.Errorf("ledger %v %v, want %v", ledger, err, want)
	}
}
