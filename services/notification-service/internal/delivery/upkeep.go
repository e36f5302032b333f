package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

const (
	measureEvery = 5 * time.Second
	purgeEvery   = 10 * time.Minute
)

var oldestDue = promauto.NewGauge(prometheus.GaugeOpts{
	Name: "notification_mail_oldest_due_seconds",
	Help: "Age of the oldest mail that is neither sent nor given up, or 0.",
})

// Upkeep measures the oldest mail and purges old ones until ctx ends. Any
// number of replicas may run it at once.
func (s *Sender) Upkeep(ctx context.Context) error {
	nextPurge := time.Now()
	for {
		if age, err := s.Store.OldestDue(ctx); err == nil {
			oldestDue.Set(age.Seconds())
		} else if ctx.Err() == nil {
			slog.WarnContext(ctx, "measure due mails failed", "error", err)
		}
		if time.Now().After(nextPurge) {
			if err := s.Store.Purge(ctx); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "purge mails failed", "error", err)
			}
			nextPurge = time.Now().Add(purgeEvery)
		}
		if !clock.Sleep(ctx, measureEvery) {
			return nil
		}
	}
}
