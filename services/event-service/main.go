// Event-service serves venues and events.
package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	announcements "github.com/frontrow-tickets/frontrow/services/event-service/internal/kafka"
	"github.com/frontrow-tickets/frontrow/services/event-service/migrations"
)

const name = "event-service"

// topicTimeout is how long migrate waits for brokers that are starting.
const topicTimeout = 2 * time.Minute

type config struct {
	service.Config
	IdentityKeys string `env:"IDENTITY_KEYS,required,notEmpty"`
	PostgresURL  string `env:"POSTGRES_URL,required,notEmpty"`
	Kafka        kafka.Cluster

	// consumerGroup separates tests that share a broker. If empty, the
	// service's name is used.
	consumerGroup string
}

type migrateConfig struct {
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
	Kafka       kafka.Cluster
	Topics      kafka.Topics
}

func main() {
	service.Main(name, service.Configured(run), map[string]service.Command{"migrate": service.Configured(migrate)})
}

// migrate brings the database and the Kafka topics to this version.
func migrate(ctx context.Context, cfg migrateConfig) error {
	err := postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files, postgres.Idempotency, postgres.Outbox)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	return kafka.EnsureTopics(ctx, cfg.Kafka, cfg.Topics, announcements.Topics...)
}
