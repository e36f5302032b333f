package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

const (
	// settleGrace is the minimum age of a charge before the reconciler checks
	// it, to let its webhook and the message of its cancellation arrive.
	settleGrace = 10 * time.Second
	// initialWindow is how far back a new leader starts.
	initialWindow = time.Hour
	// stuckAfter is the age at which a payment should long have had an outcome.
	stuckAfter = 30 * time.Second
	// overdueAfter is the age at which a refund or payment needs a person.
	overdueAfter = 5 * time.Minute
	page         = 1000
)

// Report is the result of one round of the reconciler.
type Report struct {
	// Repairs counts repairs by kind, Alerts counts by kind what needs a
	// person.
	Repairs, Alerts map[string]int
	// Drift is the provider's net balance minus the net balance of our
	// payments, in minor units by currency.
	Drift map[string]int64
}

// Reconciler compares the provider's ledger, payments and bookings. Running two
// at once is harmless: every repair is a step of the same state machine.
type Reconciler struct {
	Charger
	Now func() time.Time

	from   time.Time
	fromID string
}

// Round compares once and makes the possible repairs.
func (r *Reconciler) Round(ctx context.Context) (Report, error) {
	rep := Report{Repairs: map[string]int{}, Alerts: map[string]int{}, Drift: map[string]int64{}}
	now := r.Now()
	err := errors.Join(r.charges(ctx, now, &rep), r.stuck(ctx, now, &rep), r.unrefunded(ctx, &rep))
	if err == nil {
		err = r.drift(ctx, now.Add(-settleGrace), &rep)
	}
	return rep, err
}

// charges finds charges at the provider that are not recorded as captured.
func (r *Reconciler) charges(ctx context.Context, now time.Time, rep *Report) error {
	if r.from.IsZero() {
		r.from = now.Add(-initialWindow)
	}
	for {
		charges, err := r.Provider.Settled(ctx, r.from, r.fromID, now.Add(-settleGrace), page)
		if err != nil || len(charges) == 0 {
			return err
		}
		captured := map[uuid.UUID]Charge{}
		var ids []uuid.UUID
		for _, c := range charges {
			if c.Status != ChargeCaptured {
				continue
			}
			id, err := uuid.Parse(c.Key)
			if err != nil {
				r.alert(ctx, rep, "unknown_charge", "charge", c.ID)
				continue
			}
			captured[id] = c
			ids = append(ids, id)
		}
		missing, unknown, err := r.Store.Uncaptured(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range unknown {
			r.alert(ctx, rep, "unknown_charge", "charge", captured[id].ID)
		}
		for _, id := range missing {
			err := r.Store.Update(ctx, id, func(p *Purchase) error { return Apply(p, id, captured[id]) })
			if errors.Is(err, ErrAmount) {
				r.alert(ctx, rep, "other_amount", "payment", id)
				continue
			}
			if err != nil {
				return err
			}
			r.repaired(ctx, rep, "capture", id)
		}
		last := charges[len(charges)-1]
		r.from, r.fromID = last.SettledAt, last.ID
		if len(charges) < page {
			return nil
		}
	}
}

// stuck finds payments without an outcome and looks them up at the provider.
func (r *Reconciler) stuck(ctx context.Context, now time.Time, rep *Report) error {
	payments, err := r.Store.Stuck(ctx, stuckAfter, page)
	if err != nil {
		return err
	}
	for _, p := range payments {
		charge, err := r.Provider.Lookup(ctx, p.ID.String())
		if err == nil && charge.Status != ChargePending {
			if err := r.record(ctx, p, charge, nil); err != nil {
				return err
			}
			r.repaired(ctx, rep, "stuck", p.ID)
			continue
		}
		if now.Sub(p.CreatedAt) > overdueAfter {
			r.alert(ctx, rep, "stuck", "payment", p.ID)
		}
		if err != nil && !errors.Is(err, ErrNoCharge) {
			return fmt.Errorf("look up payment %s: %w", p.ID, err)
		}
	}
	return nil
}

// unrefunded finds money kept for bookings that have ended, and stuck refunds.
func (r *Reconciler) unrefunded(ctx context.Context, rep *Report) error {
	payments, err := r.Store.Unrefunded(ctx, page)
	if err != nil {
		return err
	}
	for _, p := range payments {
		if err := r.Store.Update(ctx, p.ID, func(pu *Purchase) error { pu.RefundIfCancelled(); return nil }); err != nil {
			return err
		}
		r.repaired(ctx, rep, "refund", p.ID)
	}
	overdue, err := r.Store.OverdueRefunds(ctx, overdueAfter)
	if err != nil {
		return err
	}
	if overdue > 0 {
		rep.Alerts["overdue_refund"] += overdue
		slog.ErrorContext(ctx, "refunds overdue", "count", overdue)
	}
	return nil
}

// drift compares the sums up to a time by which both sides should agree.
func (r *Reconciler) drift(ctx context.Context, before time.Time, rep *Report) error {
	theirs, err := r.Provider.Ledger(ctx, before)
	if err != nil {
		return err
	}
	ours, err := r.Store.Ledger(ctx, before)
	if err != nil {
		return err
	}
	for currency, b := range theirs {
		rep.Drift[currency] = b.Net - ours[currency].Net
	}
	for currency, b := range ours {
		if _, both := theirs[currency]; !both {
			rep.Drift[currency] = -b.Net
		}
	}
	return nil
}

func (r *Reconciler) repaired(ctx context.Context, rep *Report, kind string, id uuid.UUID) {
	rep.Repairs[kind]++
	slog.WarnContext(ctx, "reconciler repaired payment", "kind", kind, "payment", id)
}

func (r *Reconciler) alert(ctx context.Context, rep *Report, kind, what string, id any) {
	rep.Alerts[kind]++
	slog.ErrorContext(ctx, "reconciler cannot repair", "kind", kind, what, id)
}
