package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// Lease is how long a picked payment belongs to its worker. If its webhook has
// not arrived by then, the payment is looked up at the provider.
const Lease = 5 * time.Second

// fresh is the age up to which a new payment is charged without reading its
// booking again. It is older only if it waited in the queue.
const fresh = time.Second

// lookupPauses are the waits before each look-up of a charge whose outcome is
// unknown. After the last one the payment waits until it is due again.
var lookupPauses = []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond}

// Charger sends payments and refunds to the provider and records the outcomes.
type Charger struct {
	Store    Store
	Provider Provider
}

// Charge advances one payment. The provider charges a payment at most once: all
// calls carry its ID as the idempotency key. After an error the payment is
// retried when it is due again.
func (c *Charger) Charge(ctx context.Context, job Job) error {
	p := job.Payment
	sent := job.Tries == 1 && time.Since(p.CreatedAt) < fresh
	if sent {
		charge, err := c.Provider.Charge(ctx, p.ID.String(), p.Method, p.Amount)
		if err == nil || errors.Is(err, ErrRejected) {
			return c.record(ctx, p, charge, err)
		}
		slog.WarnContext(ctx, "charge outcome unknown, looking it up", "payment", p.ID, "error", err)
	}
	charge, err := c.lookup(ctx, p.ID)
	if errors.Is(err, ErrNoCharge) {
		var ended bool
		// A charge that was just sent may still arrive: the payment then fails
		// when it is due again.
		if ended, err = c.bookingEnded(ctx, p.ID, !sent); err != nil || ended {
			return err
		}
		charge, err = c.Provider.Charge(ctx, p.ID.String(), p.Method, p.Amount)
	}
	return c.record(ctx, p, charge, err)
}

// bookingEnded reports whether the booking of a payment has ended, and, if so
// and fail is set, fails the payment.
func (c *Charger) bookingEnded(ctx context.Context, id uuid.UUID, fail bool) (ended bool, err error) {
	err = c.Store.Update(ctx, id, func(pu *Purchase) error {
		if ended = pu.Booking.Cancelled(); ended && fail {
			pu.Decline(id, BookingEnded, time.Now().UTC())
		}
		return nil
	})
	return ended, err
}

// lookup queries a charge until the provider answers.
func (c *Charger) lookup(ctx context.Context, id uuid.UUID) (charge Charge, err error) {
	for _, pause := range lookupPauses {
		if !clock.Sleep(ctx, pause) {
			return charge, ctx.Err()
		}
		charge, err = c.Provider.Lookup(ctx, id.String())
		if err == nil || errors.Is(err, ErrNoCharge) {
			break
		}
	}
	return charge, err
}

func (c *Charger) record(ctx context.Context, p Payment, charge Charge, err error) error {
	switch {
	case errors.Is(err, ErrRejected):
		return c.Store.Update(ctx, p.ID, func(pu *Purchase) error {
			pu.Decline(p.ID, "card_declined", time.Now().UTC())
			return nil
		})
	case err != nil:
		return fmt.Errorf("charge payment %s: %w", p.ID, err)
	case charge.Status == ChargePending:
		return nil // the outcome arrives by webhook, or with the next attempt
	}
	return c.Store.Update(ctx, p.ID, func(pu *Purchase) error { return Apply(pu, p.ID, charge) })
}

// Apply records the provider's state of a payment's charge.
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

// Refund refunds one payment. After an error the refund is retried with the
// same key when it is due again.
func (c *Charger) Refund(ctx context.Context, job RefundJob) error {
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
