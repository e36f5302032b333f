package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
	api "github.com/frontrow-tickets/frontrow/services/booking-service/internal/httpapi"
	bookingkafka "github.com/frontrow-tickets/frontrow/services/booking-service/internal/kafka"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/peers"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/redis"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/ticket"
)

// How often the loops look.
const (
	sweepEvery        = 250 * time.Millisecond
	forgottenEvery    = time.Second
	outboxEvery       = 3 * time.Second
	correctEvery      = 2 * time.Second
	syncEvery         = time.Second
	availabilityEvery = time.Second
	clockEvery        = 5 * time.Second
)

// addBaselines is set in builds for the load test only: it adds what holds are
// compared with.
var addBaselines func(ctx context.Context, routes *httpapi.API, admin *http.ServeMux, service *booking.Service,
	locks *redis.Locks, client *goredis.Client) error

// run serves until ctx ends.
func run(ctx context.Context, cfg config) error {
	cfg.Config = cfg.WithDefaults(serviceName)
	flush, err := observe.Setup(ctx, serviceName, cfg.Config)
	if err != nil {
		return err
	}
	verifier, err := identity.NewVerifier(cfg.IdentityPublicKeys)
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
	leaders, err := consul.NewLocks(cfg.ConsulAddr, cfg.InstanceID)
	if err != nil {
		return err
	}

	store := cassandra.New(cfg.cassandra())
	clk := cassandra.NewClock(store)
	replica := uuid.NewString()
	locks, feed := redis.NewLocks(redisClient), redis.NewFeed(redisClient)
	outbox := bookingkafka.NewOutbox(producer)
	inventory := booking.NewInventory(store)
	committer := booking.NewCommitter(store, inventory, feed, replica)
	service := booking.NewService(store, locks, outbox, committer, inventory, clk)
	resolver, err := consul.Discover(cfg.ConsulAddr, cfg.DiscoveryDNS, serviceName) // none: there are no other replicas
	if err != nil {
		return err
	}
	payments := bookingkafka.Payments(service)
	self := cfg.InstanceID
	if cfg.ConsulAddr == "" {
		self = cfg.AdvertiseAddr // DNS knows no other names
	}
	replicas := peers.New(self, func() []consul.Instance { return resolver.Instances(serviceName) }, cfg.TicketSigningKey)
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: cfg.Kafka, Group: serviceName, ClientID: cfg.InstanceID, DLQ: producer,
		Handlers: map[string]kafka.Handler{
			events.TopicPaymentProcessed: replicas.Share(payments),
			events.TopicEventChanged:     bookingkafka.EventChanges(service),
		},
	})
	if err != nil {
		return err
	}

	group := &lifecycle.Group{DrainDelay: cfg.DrainDelay}
	admin, err := listen(ctx, cfg.AdminAddr)
	if err != nil {
		return err
	}
	public, err := listen(ctx, cfg.HTTPAddr)
	if err != nil {
		return err
	}
	if err := start(ctx, clk, service); err != nil {
		return err
	}

	group.Close("traces", flush)
	adminRoutes := observe.AdminHandler(group.Ready)
	group.Serve("admin", admin, httpapi.NewServer(adminRoutes))
	group.Close("cassandra", func(context.Context) error { store.Close(); return nil })
	group.Close("redis", func(context.Context) error { return redisClient.Close() })
	group.Go("clock", every(clockEvery, clk.Set))
	group.Close("producer", producer.Close)
	group.Go("producer health", func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-producer.Fatal():
			return err
		}
	})
	group.Go("locks", locks.Run)
	group.Go("feed out", feed.Run)
	group.Go("feed in", func(ctx context.Context) error { return feed.Receive(ctx, replica, inventory.Apply) })
	group.Go("events", every(syncEvery, service.SyncEvents))
	group.Go("corrections", every(correctEvery, service.Correct))
	group.Go("forgotten holds", every(forgottenEvery, service.SweepForgotten))
	group.Go("leaders", leaders.Run)
	for shard := range booking.Shards {
		name := "booking-sweep-" + strconv.Itoa(shard)
		group.Go(name, func(ctx context.Context) error {
			leaders.Lock(ctx, name, func(ctx context.Context) { lead(ctx, service, outbox, shard) })
			return nil
		})
	}
	group.Go("consumer", consumer.Run)
	closing, closeStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer closeStreams()
	routes := api.New(service, inventory, signer, ticketKeys, verifier.At(clk.Now), replica, closing.Done())
	routes.HandleWithoutIdentity(http.MethodPost, peers.Path, replicas.Receive(payments))
	if addBaselines != nil {
		if err := addBaselines(ctx, routes, adminRoutes, service, locks, redisClient); err != nil {
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

// start waits until Cassandra has told the time and the events: before that
// there is nothing to serve.
func start(ctx context.Context, clk *cassandra.Clock, service *booking.Service) error {
	for {
		err := clk.Set(ctx)
		if err == nil {
			err = service.SyncEvents(ctx)
		}
		if err == nil {
			return nil
		}
		slog.Warn("waiting for Cassandra", "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("stopped while waiting for Cassandra: %w", err)
		case <-time.After(time.Second):
		}
	}
}

// lead does a shard's chores while this replica leads it.
func lead(ctx context.Context, service *booking.Service, outbox *bookingkafka.Outbox, shard int) {
	slog.InfoContext(ctx, "leading", "shard", shard)
	messages := service.NewOutboxSweep(shard)
	counts := service.NewAvailability(shard, outbox.Availability)
	done := make(chan struct{}, 3)
	for _, loop := range []func(context.Context) error{
		every(sweepEvery, func(ctx context.Context) error { return service.SweepHolds(ctx, shard) }),
		every(outboxEvery, messages.Run),
		every(availabilityEvery, counts.Run),
	} {
		go func() {
			_ = loop(ctx)
			done <- struct{}{}
		}()
	}
	for range cap(done) {
		<-done
	}
}

// every returns a loop that does its work again and again. A failure is told
// once until the work succeeds again.
func every(pause time.Duration, work func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		failing := false
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			err := work(ctx)
			if err != nil && ctx.Err() == nil && !failing {
				slog.WarnContext(ctx, "a chore fails and is tried again", "error", err)
			}
			failing = err != nil
		}
	}
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}
