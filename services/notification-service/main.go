// Notification-service sends e-mail about accounts, bookings and events.
package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	messages "github.com/frontrow-tickets/frontrow/services/notification-service/internal/kafka"
	"github.com/frontrow-tickets/frontrow/services/notification-service/migrations"
)

const (
	name           = "notification-service"
	authService    = "auth-service"
	bookingService = "booking-service"
)

// topicTimeout is how long migrate waits for brokers that are starting.
const topicTimeout = 2 * time.Minute

type config struct {
	service.Config
	IdentityKeys string `env:"IDENTITY_KEYS,required,notEmpty"`
	// AuthKeys and BookingKeys sign this service's requests to auth-service and
	// to booking-service.
	AuthKeys    string `env:"IDENTITY_KEYS_AUTH,required,notEmpty"`
	BookingKeys string `env:"IDENTITY_KEYS_BOOKING,required,notEmpty"`
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
	Kafka       kafka.Cluster
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
	Kafka       kafka.Cluster
	Topics      kafka.Topics
}

func main() {
	service.Main(name, service.Configured(run), map[string]service.Command{"migrate": service.Configured(migrate)})
}

// migrate brings the database and the Kafka topics to this version.
func migrate(ctx context.Context, cfg migrateConfig) error {
	if err := postgres.EnsureDatabase(ctx, cfg.PostgresURL); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	return kafka.EnsureTopics(ctx, cfg.Kafka, cfg.Topics, messages.Topics...)
}
