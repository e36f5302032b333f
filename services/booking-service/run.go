package main

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/feed"
	api "github.com/frontrow-tickets/frontrow/services/booking-service/internal/httpapi"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/replicas"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/saga"
)

// addBaselines is set only in builds for the load test. It adds the baselines
// that holds are compared with.
var addBaselines func(
	ctx context.Context, routes *httpapi.API, admin *http.ServeMux, engine *eventlog.Engine, store eventlog.Store,
) error

// run serves until ctx ends.
func run(ctx context.Context, cfg config) error {
	process, err := service.New(ctx, name, &cfg.Config)
	if err != nil {
		return err
	}
	keys, err := cfg.keys()
	if err != nil {
		return err
	}
	store := cassandra.New(cfg.Cassandra)
	process.Close("cassandra", func(context.Context) error { store.Close(); return nil })
	rdb, err := redisclient.New(cfg.RedisURL)
	if err != nil {
		return err
	}
	process.Close("redis", func(context.Context) error { return rdb.Close() })
	producer, err := kafka.NewProducer(cfg.Kafka, cfg.InstanceID)
	if err != nil {
		return err
	}
	resolver, err := consul.Discover(cfg.ConsulAddr, cfg.DiscoveryDNS, name) // none if there are no other replicas
	if err != nil {
		return err
	}
	self := cfg.InstanceID
	if cfg.ConsulAddr == "" {
		self = cfg.AdvertiseAddr // with DNS, addresses are the ids
	}
	clk := cassandra.NewClock(store)
	others := replicas.New(self, func() []consul.Instance { return resolver.Instances(name) }, keys.replicas, clk.Now)
	entries := feed.New(rdb)
	publisher := saga.NewPublisher(producer)
	engine := eventlog.New(store, entries, publisher, others, clk, cfg.HoldTarget)
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: cfg.Kafka, Group: name, ClientID: cfg.InstanceID, Handlers: saga.Handlers(engine), DLQ: producer,
	})
	if err != nil {
		return err
	}
	var prepared atomic.Bool
	process.Ready = prepared.Load
	process.Go("cluster", func(ctx context.Context) error { return keepTime(ctx, store, clk, engine, &prepared) })
	process.Go("topics", kafka.CreateTopics(cfg.Kafka, cfg.Topics, saga.Topics...))
	process.Close("producer", producer.Close)
	process.Go("producer health", producer.Run)
	process.Go("feed out", entries.Run)
	process.Close("logs", engine.Close)
	process.Go("feed in", func(ctx context.Context) error { return entries.Receive(ctx, engine.Follow) })
	process.Go("events", engine.Run)
	process.Go("consumer", consumer.Run)
	process.Go("replicas", resolver.Run)

	closing, closeStreams := context.WithCancel(context.WithoutCancel(ctx))
	process.Server.RegisterOnShutdown(closeStreams)
	routes := api.New(api.Config{
		Engine: engine, Lists: store, Others: others, Signer: keys.signer, Keys: keys.tickets, Verifier: keys.verifier.At(clk.Now),
		Admissions: keys.admissions, Challenge: keys.challenge, Invites: booking.Invites{Key: keys.queue}, Audit: publisher.Audit,
		Now: clk.Now, Closing: closing.Done(),
	})
	routes.Handle(http.MethodPost, replicas.CommandsPath, httpapi.ForServices(replicas.Commands(engine)))
	routes.Handle(http.MethodGet, replicas.BookingsPath, httpapi.ForServices(replicas.Bookings(engine)))
	if addBaselines != nil {
		if err := addBaselines(ctx, routes, process.Admin, engine, store); err != nil {
			return err
		}
	}
	return process.Run(ctx, routes)
}
