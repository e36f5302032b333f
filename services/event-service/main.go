// Event-service serves venues and events.
package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/event-service/migrations"
)

const name = "event-service"

type config struct {
	service.Config
	IdentityKeys string `env:"IDENTITY_KEYS,required,notEmpty"`
	PostgresURL  string `env:"POSTGRES_URL,required,notEmpty"`
	Kafka        kafka.Cluster
	Topics       kafka.Topics

	// consumerGroup separates tests that share a broker. If empty, the
	// service's name is used.
	consumerGroup string
}

type migrateConfig struct {
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
}

func main() {
	service.Main(name, service.Configured(run), map[string]service.Command{"migrate": service.Configured(migrate)})
}

// migrate brings the database to this version.
func migrate(ctx context.Context, cfg migrateConfig) error {
	return postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files, postgres.Idempotency, postgres.Outbox)
}
