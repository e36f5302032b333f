// Booking-service sells seats: availability, holds, confirmations,
// cancellations and expiry. It owns the saga.
package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
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
