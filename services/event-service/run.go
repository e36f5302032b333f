package main

import (
	"cmp"
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/outbox"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/httpapi"
	announcements "github.com/frontrow-tickets/frontrow/services/event-service/internal/kafka"
	eventstore "github.com/frontrow-tickets/frontrow/services/event-service/internal/postgres"
)

const producerGrace = 2 * time.Second

// run serves until ctx ends. Viewing and editing need only Postgres: Kafka and
// Consul may be down, even at the start.
func run(ctx context.Context, cfg config) error {
	process, err := service.New(ctx, name, &cfg.Config)
	if err != nil {
		return err
	}
	verifier, err := identity.NewVerifier(name, cfg.IdentityKeys)
	if err != nil {
		return err
	}
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	process.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	process.Go("purge", func(ctx context.Context) error { return postgres.PurgeLoop(ctx, pool) })
	process.Go("topics", kafka.CreateTopics(cfg.Kafka, cfg.Topics, announcements.Topics...))
	producer, err := kafka.NewProducer(cfg.Kafka, cfg.InstanceID)
	if err != nil {
		return err
	}
	process.Close("producer", func(ctx context.Context) error {
		// Undelivered messages are still in the outbox.
		ctx, cancel := context.WithTimeout(ctx, producerGrace)
		defer cancel()
		return producer.Close(ctx)
	})
	process.Go("producer health", producer.Run)
	process.Go("outbox", postgres.NewRelay(pool, outbox.Publish(producer, "/"+name)).Run)
	store := eventstore.NewStore(pool)
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: cfg.Kafka, Group: cmp.Or(cfg.consumerGroup, name), ClientID: cfg.InstanceID,
		Handlers: announcements.Handlers(store), DLQ: producer,
	})
	if err != nil {
		return err
	}
	process.Go("consumer", consumer.Run)
	return process.Run(ctx, httpapi.New(store, verifier, clock.System{}))
}
