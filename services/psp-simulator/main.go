// Psp-simulator is a payment provider for tests.
package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/psp-simulator/migrations"
)

const name = "psp-simulator"

type config struct {
	service.Config
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
	APIKey      string `env:"PSP_API_KEY,required,notEmpty"`
	// WebhookURL is where the shop receives webhooks, such as
	// http://host:8080/webhooks/psp.
	WebhookURL    string `env:"PSP_WEBHOOK_URL,required,notEmpty"`
	WebhookSecret string `env:"PSP_WEBHOOK_SECRET,required,notEmpty"`
}

type migrateConfig struct {
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
}

func main() {
	service.Main(name, service.Configured(run), map[string]service.Command{"migrate": service.Configured(migrate)})
}

// migrate brings the database to this version.
func migrate(ctx context.Context, cfg migrateConfig) error {
	if err := postgres.EnsureDatabase(ctx, cfg.PostgresURL); err != nil {
		return err
	}
	return postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files)
}
