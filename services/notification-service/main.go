// Notification-service sends e-mail about accounts, bookings and events.
package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/notification-service/migrations"
)

const (
	name           = "notification-service"
	authService    = "auth-service"
	bookingService = "booking-service"
)

type config struct {
	service.Config
	IdentityKeys string `env:"IDENTITY_KEYS,required,notEmpty"`
	// AuthKeys and BookingKeys sign this service's requests to auth-service and
	// to booking-service.
	AuthKeys    string `env:"IDENTITY_KEYS_AUTH,required,notEmpty"`
	BookingKeys string `env:"IDENTITY_KEYS_BOOKING,required,notEmpty"`
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
	Kafka       kafka.Cluster
	Topics      kafka.Topics
	// SMTPURL is the mail server: smtp://user:password@host:587, with
	// ?tls=none or ?tls=starttls (required unless given), or smtps://host:465.
	SMTPURL string `env:"SMTP_URL,required,notEmpty"`
	// MailFrom is the sender, such as "Frontrow <tickets@example.org>".
	MailFrom string `env:"MAIL_FROM,required,notEmpty"`
	// PublicURL is where people reach the web app, the base of links in mails.
	PublicURL string `env:"PUBLIC_URL,required,notEmpty"`
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
