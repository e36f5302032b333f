// Command event-service serves venues and events. "event-service migrate"
// brings its database and its Kafka topics to this version.
package main

import (
	"context"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	announcements "github.com/frontrow-tickets/frontrow/services/event-service/internal/kafka"
	"github.com/frontrow-tickets/frontrow/services/event-service/migrations"
)

const service = "event-service"

// topicTimeout is how long migrate waits for brokers that are starting.
const topicTimeout = 2 * time.Minute

func main() {
	lifecycle.Main(lifecycle.Program{
		Name: service,
		Run: func(ctx context.Context) error {
			cfg, err := env.ParseAs[config]()
			if err != nil {
				return err
			}
			return run(ctx, cfg)
		},
		Migrate: func(ctx context.Context) error {
			cfg, err := env.ParseAs[migrateConfig]()
			if err != nil {
				return err
			}
			return migrate(ctx, cfg)
		},
	})
}

func migrate(ctx context.Context, cfg migrateConfig) error {
	err := postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files, postgres.Idempotency, postgres.Outbox)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	return kafka.EnsureTopics(ctx, cfg.Kafka, cfg.Topics, announcements.Topics()...)
}
