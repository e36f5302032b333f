package main

import (
	"cmp"
	"context"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/outbox"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/bookings"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/httpapi"
	messages "github.com/frontrow-tickets/frontrow/services/payment-service/internal/kafka"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
	payments "github.com/frontrow-tickets/frontrow/services/payment-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/psp"
)

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
	signer, err := identity.NewSigner(bookingService, cfg.BookingKeys)
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
	process.Go("outbox", postgres.NewRelay(pool, outbox.Publish(producer, "/"+name)).Run)

	provider := psp.NewClient(cfg.PSPURL, cfg.PSPAPIKey)
	refunds := &payment.Worker[payment.RefundJob]{Name: "refunds"}
	store := &payments.Store{Pool: pool, OnRefundDue: refunds.Wake}
	charger := payment.Charger{Store: store, Provider: provider}
	refunds.Pick, refunds.Do = store.PickRefunds, charger.Refund
	charges := &payment.Worker[payment.Job]{Name: "charges", Pick: store.PickCharges, Do: charger.Charge}
	process.Admin.Handle("GET /debug/ledger", httpapi.Ledger(store, provider))

	resolver, err := consul.Discover(cfg.ConsulAddr, cfg.DiscoveryDNS, bookingService)
	if err != nil {
		return err
	}
	process.Go("booking-service's replicas", resolver.Run)
	holds := bookings.NewClient(func() []consul.Instance { return resolver.Instances(bookingService) }, signer)
	process.Go("refunds", refunds.Run)
	process.Go("charges", charges.Run)
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: cfg.Kafka, Group: cmp.Or(cfg.consumerGroup, name), ClientID: cfg.InstanceID,
		Handlers: messages.Handlers(store), DLQ: producer,
	})
	if err != nil {
		return err
	}
	process.Go("consumer", consumer.Run)
	locks, err := consul.NewLocks(cfg.ConsulAddr, cfg.InstanceID)
	if err != nil {
		return err
	}
	process.Go("locks", locks.Run)
	process.Go("reconciler", func(ctx context.Context) error {
		locks.Lock(ctx, "payment-reconciler", reconcileLoop{charger}.lead)
		return nil
	})
	return process.Run(ctx, httpapi.New(httpapi.API{
		Store: store, Held: holds.Held, Charge: charges.Add, WebhookSecret: cfg.PSPWebhookSecret, Clock: clock.System{},
	}, verifier))
}
