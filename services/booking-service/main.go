// Booking-service sells seats: availability, holds, confirmations,
// cancellations and expiry. It owns the saga.
package main

import (
	"context"
	"fmt"

	"github.com/caarlos0/env/v11"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
)

const serviceName = "booking-service"

type config struct {
	observe.Config
	IdentityKeys         string `env:"IDENTITY_KEYS,required"`
	PaymentKeys          string `env:"IDENTITY_KEYS_PAYMENT,required"`
	CassandraHosts       string `env:"CASSANDRA_HOSTS,required"`
	CassandraKeyspace    string `env:"CASSANDRA_KEYSPACE" envDefault:"bookings"`
	CassandraReplication int    `env:"CASSANDRA_REPLICATION" envDefault:"1"`
	CassandraUsername    string `env:"CASSANDRA_USERNAME"`
	CassandraPassword    string `env:"CASSANDRA_PASSWORD"`
	CassandraCA          string `env:"CASSANDRA_CA"`
	RedisURL             string `env:"REDIS_URL,required"`
	Kafka                kafka.Cluster
	Topics               kafka.Topics
	TicketSigningKey     string `env:"TICKET_SIGNING_KEY,required"`
	TicketPublicKeys     string `env:"TICKET_PUBLIC_KEYS"`
}

func (c config) cassandra() cassandra.Config {
	return cassandra.Config{
		Hosts: c.CassandraHosts, Keyspace: c.CassandraKeyspace, Replication: c.CassandraReplication,
		Username: c.CassandraUsername, Password: c.CassandraPassword, CA: c.CassandraCA,
	}
}

func main() {
	lifecycle.Main(lifecycle.Program{
		Name: serviceName,
		Run: func(ctx context.Context) error {
			cfg, err := env.ParseAs[config]()
			if err != nil {
				return err
			}
			return run(ctx, cfg)
		},
		Migrate: func(ctx context.Context) error {
			cfg, err := env.ParseAs[config]()
			if err != nil {
				return err
			}
			return migrate(ctx, cfg)
		},
		Commands: map[string]func(context.Context, []string) error{"log": printLog},
	})
}

func migrate(ctx context.Context, cfg config) error {
	if err := cassandra.Migrate(ctx, cfg.cassandra()); err != nil {
		return err
	}
	topics := []string{events.TopicBookingCreated, events.TopicBookingConfirmed, events.TopicBookingCancelled, events.TopicEventAvailability}
	for _, consumed := range []string{events.TopicPaymentProcessed, events.TopicEventChanged} {
		topics = append(topics, consumed, kafka.DLQ(consumed))
	}
	if err := kafka.EnsureTopics(ctx, cfg.Kafka, cfg.Topics, topics...); err != nil {
		return fmt.Errorf("topics: %w", err)
	}
	return nil
}
