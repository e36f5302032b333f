package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const purgeInterval = 10 * time.Minute

// Purge deletes idempotency keys older than 24 hours and inbox rows older than
// 30 days, longer than Kafka keeps a message. Tables the service does not have
// are passed over.
func Purge(ctx context.Context, pool *pgxpool.Pool) error {
	for _, t := range []struct{ table, query string }{
		{"idempotency_keys", `DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`},
		{"inbox", `DELETE FROM inbox WHERE received_at < now() - interval '30 days'`},
	} {
		var exists bool
		if err := pool.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, t.table).Scan(&exists); err != nil {
			return fmt.Errorf("purge: %w", err)
		}
		if !exists {
			continue
		}
		if _, err := pool.Exec(ctx, t.query); err != nil {
			return fmt.Errorf("purge %s: %w", t.table, err)
		}
	}
	return nil
}

// PurgeLoop purges every ten minutes until ctx ends. Any number of replicas
// may do so at once.
func PurgeLoop(ctx context.Context, pool *pgxpool.Pool) error {
	tick := time.NewTicker(purgeInterval)
	defer tick.Stop()
	for {
		if err := Purge(ctx, pool); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "purge failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
