package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	eventapi "github.com/frontrow-tickets/frontrow/services/event-service/internal/httpapi"
	announcements "github.com/frontrow-tickets/frontrow/services/event-service/internal/kafka"
	eventstore "github.com/frontrow-tickets/frontrow/services/event-service/internal/postgres"
)

const producerGrace = 2 * time.Second

// Stores configures the service's database and brokers.
type Stores struct {
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
	Kafka       kafka.Cluster
}

type config struct {
	observe.Config
	Stores
	IdentityKeys string `env:"IDENTITY_KEYS,required,notEmpty"`

	// consumerGroup separates tests that share a broker. If empty, the
	// service's name is used.
	consumerGroup string
}

type migrateConfig struct {
	Stores
	kafka.Topics
}

// run serves until ctx ends. Viewing and editing need only Postgres: Kafka and
// Consul may be down, even at the start.
func run(ctx context.Context, cfg config) error {
	cfg.Config = cfg.WithDefaults(service)
	flush, err := observe.Setup(ctx, service, cfg.Config)
	if err != nil {
		return err
	}
	verifier, err := identity.NewVerifier(service, cfg.IdentityKeys)
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	public, err := listen.Listen(ctx, "tcp", cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR: %w", err)
	}
	defer func() { _ = public.Close() }()
	admin, err := listen.Listen(ctx, "tcp", cfg.AdminAddr)
	if err != nil {
		return fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	defer func() { _ = admin.Close() }()

	group := &lifecycle.Group{DrainDelay: cfg.DrainDelay}
	group.Close("traces", flush)
	group.Serve("admin", admin, httpapi.NewServer(observe.AdminHandler(group.Ready)))

	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	group.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	group.Go("purge", func(ctx context.Context) error { return postgres.PurgeLoop(ctx, pool) })

	producer, err := kafka.NewProducer(cfg.Kafka, cfg.InstanceID)
	if err != nil {
		return err
	}
	group.Close("producer", func(ctx context.Context) error {
		// Undelivered messages are still in the outbox.
		ctx, cancel := context.WithTimeout(ctx, producerGrace)
		defer cancel()
		return producer.Close(ctx)
	})
	group.Go("producer's health", func(ctx context.Context) error {
		select {
		case err := <-producer.Fatal():
			return err
		case <-ctx.Done():
			return nil
		}
	})
	group.Go("outbox", postgres.NewRelay(pool, announcements.Publish(producer)).Run)

	store := eventstore.NewStore(pool)
	consumer, err := announcements.NewConsumer(cfg.Kafka, cmp.Or(cfg.consumerGroup, service), cfg.InstanceID, store, producer)
	if err != nil {
		return err
	}
	group.Go("consumer", consumer.Run)

	group.Serve("http", public, httpapi.NewServer(eventapi.New(store, verifier, clock.System{})))
	registration, err := consul.NewRegistration(cfg.ConsulAddr, consul.Service{
		Name: service, ID: cfg.InstanceID, Address: cfg.AdvertiseAddr, AdminAddress: cfg.AdminAddr,
	})
	if err != nil {
		return err
	}
	group.Go("consul", registration.Run)
	return group.Run(ctx)
}
