// Booking-service sells seats: availability, holds, confirmations,
// cancellations and expiry. It owns the saga.
package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/challenge"
)

const name = "booking-service"

type config struct {
	service.Config
	IdentityKeys     string `env:"IDENTITY_KEYS,required"`
	PaymentKeys      string `env:"IDENTITY_KEYS_PAYMENT,required"`
	NotificationKeys string `env:"IDENTITY_KEYS_NOTIFICATION,required"`
	Cassandra        cassandra.Config
	RedisURL         string `env:"REDIS_URL,required"`
	Kafka            kafka.Cluster
	Topics           kafka.Topics
	TicketSigningKey string `env:"TICKET_SIGNING_KEY,required"`
	TicketPublicKeys string `env:"TICKET_PUBLIC_KEYS"`
	Challenge        challenge.Config
	// HoldTarget is the time within which queues keep 99 of 100 holds.
	HoldTarget time.Duration `env:"QUEUE_HOLD_TARGET" envDefault:"500ms"`
}

type migrateConfig struct {
	Cassandra cassandra.Config
}

func main() {
	service.Main(name, service.Configured(run), map[string]service.Command{
		"migrate": service.Configured(migrate), "log": printLog,
	})
}

// migrate brings the keyspace to this version.
func migrate(ctx context.Context, cfg migrateConfig) error {
	return cassandra.Migrate(ctx, cfg.Cassandra)
}
