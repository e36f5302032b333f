package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

const reconcileEvery = 15 * time.Second

var (
	ledgerDrift = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ledger_drift", Help: "Net balance at the provider minus net balance of our payments, in minor units.",
	}, []string{"currency"})
	reconcilerRepairs = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "reconciler_repairs_total", Help: "Repairs made by the reconciler, by kind.",
	}, []string{"kind"})
	reconcilerAlerts = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "reconciler_alerts_total", Help: "Problems the reconciler found and could not repair, by kind.",
	}, []string{"kind"})
)

// Create the counters at zero: one that first appears with a value shows no
// increase, and the alert would miss it.
func init() {
	for _, kind := range []string{"capture", "refund", "stuck"} {
		reconcilerRepairs.WithLabelValues(kind)
	}
	for _, kind := range []string{"unknown_charge", "other_amount", "stuck", "overdue_refund"} {
		reconcilerAlerts.WithLabelValues(kind)
	}
}

// reconcileLoop runs the reconciler while this instance leads, and counts its
// findings.
type reconcileLoop struct{ charger payment.Charger }

// lead reconciles every 15 seconds until ctx ends.
func (r reconcileLoop) lead(ctx context.Context) {
	rec := payment.Reconciler{Charger: r.charger, Now: clock.System{}.Now}
	ticker := time.NewTicker(reconcileEvery)
	defer ticker.Stop()
	for {
		rep, err := rec.Round(ctx)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "reconciler round failed", "error", err)
		}
		for kind, n := range rep.Repairs {
			reconcilerRepairs.WithLabelValues(kind).Add(float64(n))
		}
		for kind, n := range rep.Alerts {
			reconcilerAlerts.WithLabelValues(kind).Add(float64(n))
		}
		for currency, d := range rep.Drift {
			ledgerDrift.WithLabelValues(currency).Set(float64(d))
		}
		select {
		case <-ctx.Done():
			ledgerDrift.Reset() // only the next leader's gauge counts now
			return
		case <-ticker.C:
		}
	}
}
