// Command payment-service processes payments for bookings. "payment-service
// migrate" brings its database and its Kafka topics to this version.
package main

import (
	"context"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	messages "github.com/frontrow-tickets/frontrow/services/payment-service/internal/kafka"
	"github.com/frontrow-tickets/frontrow/services/payment-service/migrations"
)

const (
	service        = "payment-service"
	bookingService = "booking-service"
)

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
			return run(ctx, cfg, func(_, _ string) {})
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

type migrateConfig struct {
	PostgresURL string `env:"POSTGRES_URL,required"`
	Kafka       kafka.Cluster
	Topics      kafka.Topics
}

func migrate(ctx context.Context, cfg migrateConfig) error {
	err := postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files, postgres.Outbox)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	return kafka.EnsureTopics(ctx, cfg.Kafka, cfg.Topics, messages.Topics...)
}
