package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// Lease is how long a worker that picked a payment has it for itself; a payment
// whose webhook has not come by then is looked up at the provider.
const Lease = 5 * time.Second

// lookupPauses are the waits before each question about a charge whose outcome
// is unknown; after the last the payment waits for its next turn.
var lookupPauses = []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond}

// Cashier carries payments and refunds to the provider and records what came of it.
type Cashier struct {
	Store    Store
	Provider Provider
}

// Charge brings one payment forward. Whatever happens, the provider charges a
// payment once: all calls carry its ID as the key. An error leaves the payment
// for its next turn.
func (c *Cashier) Charge(ctx context.Context, job Job) error {
	p := job.Payment
	if job.Tries == 1 {
		charge, err := c.Provider.Charge(ctx, p.ID.String(), p.Method, p.Amount)
		if err == nil || errors.Is(err, ErrRejected) {
			return c.settle(ctx, p, charge, err)
		}
		slog.WarnContext(ctx, "outcome of a charge is unknown, asking the provider", "payment", p.ID, "error", err)
	}
	charge, err := c.lookup(ctx, p.ID)
	if errors.Is(err, ErrNoCharge) {
		if job.BookingEnded {
			// The provider has not heard of it, and now need not.
			return c.Store.Update(ctx, p.ID, func(pu *Purchase) error {
				pu.Decline(p.ID, BookingEnded, time.Now().UTC())
				return nil
			})
		}
		charge, err = c.Provider.Charge(ctx, p.ID.String(), p.Method, p.Amount)
	}
	return c.settle(ctx, p, charge, err)
}

// lookup asks for a charge until the provider answers.
func (c *Cashier) lookup(ctx context.Context, id uuid.UUID) (charge Charge, err error) {
	for _, pause := range lookupPauses {
		if !wait(ctx, pause) {
			return charge, ctx.Err()
		}
		charge, err = c.Provider.Lookup(ctx, id.String())
		if err == nil || errors.Is(err, ErrNoCharge) {
			break
		}
	}
	return charge, err
}

func (c *Cashier) settle(ctx context.Context, p Payment, charge Charge, err error) error {
	switch {
	case errors.Is(err, ErrRejected):
		return c.Store.Update(ctx, p.ID, func(pu *Purchase) error {
			pu.Decline(p.ID, "card_declined", time.Now().UTC())
			return nil
		})
	case err != nil:
		return fmt.Errorf("charge payment %s: %w", p.ID, err)
	case charge.Status == ChargePending:
		return nil // the webhook brings the outcome, or else the next turn does
	}
	return c.Store.Update(ctx, p.ID, func(pu *Purchase) error { return Apply(pu, p.ID, charge) })
}

// Apply records what the provider says of a payment's charge.
func Apply(p *Purchase, id uuid.UUID, charge Charge) error {
	switch charge.Status {
	case ChargeCaptured:
		return p.Capture(id, charge.ID, charge.Amount, charge.SettledAt)
	case ChargeFailed:
		p.Decline(id, charge.FailureCode, charge.SettledAt)
	case ChargePending:
	}
	return nil
}

// Refund gives one payment back. An error leaves it for its next turn, with
// the same key.
func (c *Cashier) Refund(ctx context.Context, job RefundJob) error {
	r := job.Refund
	at, err := c.Provider.Refund(ctx, r.ID.String(), r.ChargeID, r.Amount)
	if err != nil {
		return fmt.Errorf("refund payment %s: %w", r.PaymentID, err)
	}
	return c.Store.Update(ctx, r.PaymentID, func(pu *Purchase) error {
		pu.Refunded(r.PaymentID, at)
		return nil
	})
}

// wait pauses; false when ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
