package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const purgeInterval = 10 * time.Minute

// Purge deletes idempotency keys older than 24 hours.
func Purge(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, `DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`); err != nil {
		return fmt.Errorf("purge idempotency keys: %w", err)
	}
	return nil
}

// PurgeLoop purges every ten minutes until ctx ends. Any number of replicas may
// run it at once.
func PurgeLoop(ctx context.Context, pool *pgxpool.Pool) error {
	tick := time.NewTicker(purgeInterval)
	defer tick.Stop()
	for {
		if err := Purge(ctx, pool); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "purge idempotency keys failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
