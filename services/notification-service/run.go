package main

import (
	"context"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/peer"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/delivery"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/httpapi"
	messages "github.com/frontrow-tickets/frontrow/services/notification-service/internal/kafka"
	notifications "github.com/frontrow-tickets/frontrow/services/notification-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/records"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/smtp"
)

// answerTimeout limits the request to one replica; then the next one is asked.
const answerTimeout = 2 * time.Second

// run serves until ctx ends.
func run(ctx context.Context, cfg config) error {
	process, err := service.New(ctx, name, &cfg.Config)
	if err != nil {
		return err
	}
	verifier, err := identity.NewVerifier(name, cfg.IdentityKeys)
	if err != nil {
		return err
	}
	server, err := smtp.NewServer(cfg.SMTPURL, cfg.MailFrom)
	if err != nil {
		return err
	}
	resolver, err := consul.Discover(cfg.ConsulAddr, cfg.DiscoveryDNS, authService, bookingService)
	if err != nil {
		return err
	}
	asked, err := newRecords(cfg, resolver)
	if err != nil {
		return err
	}
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	process.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	process.Go("topics", kafka.CreateTopics(cfg.Kafka, cfg.Topics, messages.Topics...))
	producer, err := kafka.NewProducer(cfg.Kafka, cfg.InstanceID)
	if err != nil {
		return err
	}
	process.Close("producer", producer.Close)
	process.Go("producer health", producer.Run)
	process.Go("replicas", resolver.Run)

	publicURL := strings.TrimSuffix(cfg.PublicURL, "/")
	store := &notifications.Store{Pool: pool}
	sender := delivery.NewSender(store, asked, server, publicURL)
	process.Go("sender", sender.Run)
	process.Go("upkeep", sender.Upkeep)
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: cfg.Kafka, Group: name, ClientID: cfg.InstanceID, Handlers: messages.Handlers(store), DLQ: producer,
	})
	if err != nil {
		return err
	}
	process.Go("consumer", consumer.Run)
	return process.Run(ctx, httpapi.New(httpapi.API{Records: asked, PublicURL: publicURL}, verifier))
}

// newRecords returns the client of auth-service and booking-service.
func newRecords(cfg config, resolver *consul.Resolver) (*records.Client, error) {
	client := func(service, keys string) (*peer.Client, error) {
		signer, err := identity.NewSigner(service, keys)
		if err != nil {
			return nil, err
		}
		replicas := func() []consul.Instance { return resolver.Instances(service) }
		return peer.NewClient(service, replicas, signer, answerTimeout), nil
	}
	auth, err := client(authService, cfg.AuthKeys)
	if err != nil {
		return nil, err
	}
	bookings, err := client(bookingService, cfg.BookingKeys)
	if err != nil {
		return nil, err
	}
	return &records.Client{Auth: auth, Booking: bookings}, nil
}
