package main

import (
	"cmp"
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/outbox"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/httpapi"
	messages "github.com/frontrow-tickets/frontrow/services/auth-service/internal/kafka"
	accounts "github.com/frontrow-tickets/frontrow/services/auth-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/redis"
)

// producerGrace is how long a stopping process waits for the brokers.
const producerGrace = 2 * time.Second

// run serves until ctx ends. Kafka may be down, even at the start.
func run(ctx context.Context, cfg config) error {
	process, err := service.New(ctx, name, &cfg.Config)
	if err != nil {
		return err
	}
	verifier, err := identity.NewVerifier(name, cfg.IdentityKeys)
	if err != nil {
		return err
	}
	if err := verifier.AcceptService(cfg.NotificationKeys); err != nil {
		return err
	}
	keys, err := auth.NewKeys(cfg.Key)
	if err != nil {
		return err
	}
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	process.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	rdb, err := redisclient.New(cfg.RedisURL)
	if err != nil {
		return err
	}
	process.Close("redis", func(context.Context) error { return rdb.Close() })
	process.Go("purge", func(ctx context.Context) error { return accounts.PurgeTokens(ctx, pool) })
	process.Go("topics", kafka.CreateTopics(cfg.Kafka, cfg.Topics, messages.Topics...))
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
	log := accounts.AuditLog{Pool: pool}
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: cfg.Kafka, Group: cmp.Or(cfg.consumerGroup, name), ClientID: cfg.InstanceID,
		Handlers: messages.Handlers(log), DLQ: producer,
	})
	if err != nil {
		return err
	}
	process.Go("consumer", consumer.Run)
	svc := &auth.Service{
		Accounts: accounts.Accounts{Pool: pool}, AuditLog: log,
		Sessions: redis.Sessions{Store: session.NewStore(rdb, cfg.SessionIdle), Absolute: cfg.SessionAbsolute},
		Limits: &auth.Limits{
			Counters: redis.NewCounters(rdb), Keys: keys, PerNetwork: cfg.PerNetwork, Registrations: cfg.Registrations,
		},
		Hasher: auth.NewHasher(), Keys: keys, Now: time.Now,
		Trusting: !cfg.RequireVerified, AdminsNeedSecondFactor: cfg.AdminSecondFactor == required,
	}
	return process.Run(ctx, httpapi.New(svc, verifier))
}
