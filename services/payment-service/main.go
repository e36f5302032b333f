// Payment-service processes payments for bookings.
package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/payment-service/migrations"
)

const (
	name           = "payment-service"
	bookingService = "booking-service"
)

type config struct {
	service.Config
	IdentityKeys string `env:"IDENTITY_KEYS,required"`
	// BookingKeys sign this service's requests to booking-service.
	BookingKeys string `env:"IDENTITY_KEYS_BOOKING,required"`
	PostgresURL string `env:"POSTGRES_URL,required"`
	Kafka       kafka.Cluster
	Topics      kafka.Topics
	// PSPURL is the payment provider's API, such as http://host:8089/psp/v1.
	PSPURL           string `env:"PSP_URL,required,notEmpty"`
	PSPAPIKey        string `env:"PSP_API_KEY,required,notEmpty"`
	PSPWebhookSecret string `env:"PSP_WEBHOOK_SECRET,required,notEmpty"`

	// consumerGroup separates tests that share a broker. If empty, the
	// service's name is used.
	consumerGroup string
}

type migrateConfig struct {
	PostgresURL string `env:"POSTGRES_URL,required"`
}

func main() {
	service.Main(name, service.Configured(run), map[string]service.Command{"migrate": service.Configured(migrate)})
}

// migrate brings the database to this version.
func migrate(ctx context.Context, cfg migrateConfig) error {
	return postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files, postgres.Outbox)
}
