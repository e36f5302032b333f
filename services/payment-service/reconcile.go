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
		Name: "ledger_drift", Help: "Net money at the provider less net money of our payments, in minor units.",
	}, []string{"currency"})
	reconcilerRepairs = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "reconciler_repairs_total", Help: "What the reconciler put right.",
	}, []string{"kind"})
	reconcilerAlerts = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "reconciler_alerts_total", Help: "What the reconciler found and could not put right.",
	}, []string{"kind"})
)

// A counter that appears with its first event looks as if nothing had come: the
// alert would miss it.
func init() {
	for _, kind := range []string{"capture", "refund", "stuck"} {
		reconcilerRepairs.WithLabelValues(kind)
	}
	for _, kind := range []string{"unknown_charge", "other_amount", "stuck", "overdue_refund"} {
		reconcilerAlerts.WithLabelValues(kind)
	}
}

// rounds runs the reconciler while this instance leads and counts what it finds.
type rounds struct{ cashier payment.Cashier }

// lead reconciles every 15 seconds until ctx ends.
func (r rounds) lead(ctx context.Context) {
	rec := payment.Reconciler{Cashier: r.cashier, Now: clock.System{}.Now}
	ticker := time.NewTicker(reconcileEvery)
	defer ticker.Stop()
	for {
		rep, err := rec.Round(ctx)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "reconciler's round failed", "error", err)
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
			ledgerDrift.Reset() // the next leader's gauge is the one to read
			return
		case <-ticker.C:
		}
	}
}
