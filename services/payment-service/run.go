package main

import (
	"cmp"
	"context"
	"fmt"
	"net"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/bookings"
	paymentapi "github.com/frontrow-tickets/frontrow/services/payment-service/internal/httpapi"
	messages "github.com/frontrow-tickets/frontrow/services/payment-service/internal/kafka"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
	payments "github.com/frontrow-tickets/frontrow/services/payment-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/psp"
)

type config struct {
	observe.Config
	IdentityKeys string `env:"IDENTITY_KEYS,required"`
	// BookingKeys sign this service's requests to booking-service.
	BookingKeys string `env:"IDENTITY_KEYS_BOOKING,required"`
	PostgresURL string `env:"POSTGRES_URL,required"`
	Kafka       kafka.Cluster
	// PSPURL is the payment provider's API, such as http://host:8089/psp/v1.
	PSPURL           string `env:"PSP_URL,required,notEmpty"`
	PSPAPIKey        string `env:"PSP_API_KEY,required,notEmpty"`
	PSPWebhookSecret string `env:"PSP_WEBHOOK_SECRET,required,notEmpty"`

	// consumerGroup separates tests that share a broker. If empty, the
	// service's name is used.
	consumerGroup string
}

// run serves until ctx ends. It calls started with the addresses of the public
// and the admin listener.
func run(ctx context.Context, cfg config, started func(public, admin string)) error {
	cfg.Config = cfg.WithDefaults(service)
	public, err := net.Listen("tcp", cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR: %w", err)
	}
	defer func() { _ = public.Close() }()
	admin, err := net.Listen("tcp", cfg.AdminAddr)
	if err != nil {
		return fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	defer func() { _ = admin.Close() }()

	flush, err := observe.Setup(ctx, service, cfg.Config)
	if err != nil {
		return err
	}
	group := &lifecycle.Group{DrainDelay: cfg.DrainDelay}
	group.Close("traces", flush)
	verifier, err := identity.NewVerifier(service, cfg.IdentityKeys)
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
	group.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	producer, err := kafka.NewProducer(cfg.Kafka, cfg.InstanceID)
	if err != nil {
		return err
	}
	group.Close("producer", producer.Close)
	group.Go("producer's health", func(ctx context.Context) error {
		select {
		case err := <-producer.Fatal():
			return err
		case <-ctx.Done():
			return nil
		}
	})
	group.Go("outbox", postgres.NewRelay(pool, messages.Publisher(producer)).Run)

	provider := psp.NewClient(cfg.PSPURL, cfg.PSPAPIKey)
	refunds := &payment.Worker[payment.RefundJob]{Name: "refunds"}
	store := &payments.Store{Pool: pool, Owed: refunds.Wake}
	cashier := payment.Cashier{Store: store, Provider: provider}
	refunds.Pick, refunds.Do = store.PickRefunds, cashier.Refund
	charges := &payment.Worker[payment.Job]{Name: "charges", Pick: store.PickCharges, Do: cashier.Charge}

	adminMux := observe.AdminHandler(group.Ready)
	adminMux.Handle("GET /debug/ledger", paymentapi.Ledger(store, provider))
	group.Serve("admin", admin, httpapi.NewServer(adminMux))
	resolver, err := consul.Discover(cfg.ConsulAddr, cfg.DiscoveryDNS, bookingService)
	if err != nil {
		return err
	}
	group.Go("booking-service's replicas", resolver.Run)
	holds := bookings.NewClient(func() []consul.Instance { return resolver.Instances(bookingService) }, signer)
	group.Serve("http", public, httpapi.NewServer(paymentapi.New(paymentapi.API{
		Store: store, Held: holds.Held, Charge: charges.Give, WebhookSecret: cfg.PSPWebhookSecret, Clock: clock.System{},
	}, verifier)))
	group.Go("refunds", refunds.Run)
	group.Go("charges", charges.Run)

	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: cfg.Kafka, Group: cmp.Or(cfg.consumerGroup, service), ClientID: cfg.InstanceID,
		Handlers: messages.Handlers(store), DLQ: producer,
	})
	if err != nil {
		return err
	}
	group.Go("consumer", consumer.Run)

	locks, err := consul.NewLocks(cfg.ConsulAddr, cfg.InstanceID)
	if err != nil {
		return err
	}
	group.Go("locks", locks.Run)
	rounds := rounds{cashier}
	group.Go("reconciler", func(ctx context.Context) error {
		locks.Lock(ctx, "payment-reconciler", rounds.lead)
		return nil
	})
	registration, err := consul.NewRegistration(cfg.ConsulAddr, consul.Service{
		Name: service, ID: cfg.InstanceID, Address: cfg.AdvertiseAddr, AdminAddress: cfg.AdminAddr,
	})
	if err != nil {
		return err
	}
	group.Go("registration", registration.Run)
	started(public.Addr().String(), admin.Addr().String())
	return group.Run(ctx)
}
