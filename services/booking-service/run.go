package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/feed"
	api "github.com/frontrow-tickets/frontrow/services/booking-service/internal/httpapi"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/replicas"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/saga"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/ticket"
)

// clockEvery is how often the cluster's time is read.
const clockEvery = 5 * time.Second

// addBaselines is set only in builds for the load test. It adds the baselines
// that holds are compared with.
var addBaselines func(ctx context.Context, routes *httpapi.API, admin *http.ServeMux, engine *eventlog.Engine, store eventlog.Store) error

// run serves until ctx ends.
func run(ctx context.Context, cfg config) error {
	cfg.Config = cfg.WithDefaults(serviceName)
	flush, err := observe.Setup(ctx, serviceName, cfg.Config)
	if err != nil {
		return err
	}
	verifier, err := identity.NewVerifier(serviceName, cfg.IdentityKeys)
	if err != nil {
		return err
	}
	if err := verifier.AcceptService(cfg.PaymentKeys); err != nil {
		return fmt.Errorf("IDENTITY_KEYS_PAYMENT: %w", err)
	}
	identities, err := identity.NewSigner(serviceName, cfg.IdentityKeys)
	if err != nil {
		return err
	}
	signer, err := ticket.NewSigner(cfg.TicketSigningKey)
	if err != nil {
		return err
	}
	ticketKeys, err := ticket.NewKeys(signer, cfg.TicketPublicKeys)
	if err != nil {
		return err
	}
	redisClient, err := redisclient.New(cfg.RedisURL)
	if err != nil {
		return err
	}
	producer, err := kafka.NewProducer(cfg.Kafka, cfg.InstanceID)
	if err != nil {
		return err
	}
	registration, err := consul.NewRegistration(cfg.ConsulAddr, consul.Service{
		Name: serviceName, ID: cfg.InstanceID, Address: cfg.AdvertiseAddr, AdminAddress: cfg.AdminAddr,
	})
	if err != nil {
		return err
	}
	resolver, err := consul.Discover(cfg.ConsulAddr, cfg.DiscoveryDNS, serviceName) // none if there are no other replicas
	if err != nil {
		return err
	}
	self := cfg.InstanceID
	if cfg.ConsulAddr == "" {
		self = cfg.AdvertiseAddr // with DNS, addresses are the ids
	}

	store := cassandra.New(cfg.cassandra())
	clk := cassandra.NewClock(store)
	entries := feed.New(redisClient)
	others := replicas.New(self, func() []consul.Instance { return resolver.Instances(serviceName) }, identities, clk.Now)
	engine := eventlog.New(store, entries, saga.NewPublisher(producer), others, clk)
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: cfg.Kafka, Group: serviceName, ClientID: cfg.InstanceID, DLQ: producer,
		Handlers: map[string]kafka.Handler{
			events.TopicPaymentProcessed: saga.Payments(engine),
			events.TopicEventChanged:     saga.EventChanges(engine),
		},
	})
	if err != nil {
		return err
	}
	admin, err := listen(ctx, cfg.AdminAddr)
	if err != nil {
		return err
	}
	public, err := listen(ctx, cfg.HTTPAddr)
	if err != nil {
		return err
	}

	group := &lifecycle.Group{DrainDelay: cfg.DrainDelay}
	var prepared atomic.Bool
	group.Close("traces", flush)
	adminRoutes := observe.AdminHandler(func() bool { return group.Ready() && prepared.Load() })
	group.Serve("admin", admin, httpapi.NewServer(adminRoutes))
	group.Close("cassandra", func(context.Context) error { store.Close(); return nil })
	group.Close("redis", func(context.Context) error { return redisClient.Close() })
	group.Go("cluster", func(ctx context.Context) error { return keepTime(ctx, store, clk, engine, &prepared) })
	group.Close("producer", producer.Close)
	group.Go("producer health", func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-producer.Fatal():
			return err
		}
	})
	group.Go("feed out", entries.Run)
	group.Close("logs", engine.Close)
	group.Go("feed in", func(ctx context.Context) error { return entries.Receive(ctx, engine.Follow) })
	group.Go("events", engine.Run)
	group.Go("consumer", consumer.Run)
	closing, closeStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer closeStreams()
	routes := api.New(engine, store, others, signer, ticketKeys, verifier.At(clk.Now), closing.Done())
	routes.Handle(http.MethodPost, replicas.CommandsPath, httpapi.ForServices(replicas.Commands(engine)))
	routes.Handle(http.MethodGet, replicas.BookingsPath, httpapi.ForServices(replicas.Bookings(engine)))
	if addBaselines != nil {
		if err := addBaselines(ctx, routes, adminRoutes, engine, store); err != nil {
			return err
		}
	}
	server := httpapi.NewServer(routes)
	server.RegisterOnShutdown(closeStreams)
	group.Serve("http", public, server)
	group.Go("replicas", resolver.Run)
	group.Go("registration", registration.Run)
	slog.Info("serving", "addr", public.Addr().String())
	return group.Run(ctx)
}

// keepTime waits for Cassandra, refuses one with unsafe settings, and then
// keeps the cluster's time until ctx ends. The replica is not ready until it
// has the time and the events.
func keepTime(ctx context.Context, store *cassandra.Store, clk *cassandra.Clock, engine *eventlog.Engine, prepared *atomic.Bool) error {
	failing := false
	for {
		pause := time.Second
		err := clk.Set(ctx)
		if err == nil && !prepared.Load() {
			if err = store.Check(ctx); errors.Is(err, cassandra.ErrUnsafe) {
				return err
			}
			if err == nil {
				err = engine.Sync(ctx)
			}
		}
		if err == nil {
			prepared.Store(true)
			pause = clockEvery
		} else if ctx.Err() == nil && !failing {
			slog.WarnContext(ctx, "waiting for Cassandra", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}
