// Package delivery sends the mails that are due.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/notification"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/records"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/smtp"
)

const (
	// parallel limits the mails that one replica sends at once.
	parallel = 8
	// pollEvery is how often a replica looks for mails that are due again, or
	// that another replica stored.
	pollEvery = time.Second
	// fetchTimeout limits fetching what a mail says.
	fetchTimeout = 15 * time.Second
	// lease is how long no other replica takes a mail. It leaves time to mark
	// the mail, while Postgres is down for a moment.
	lease = fetchTimeout + smtp.SendTimeout + markTimeout
	// markTimeout limits marking a mail.
	markTimeout = time.Minute
	// The delay between attempts doubles from minDelay to maxDelay, until a mail
	// is older than giveUp.
	minDelay = time.Second
	maxDelay = 10 * time.Minute
	giveUp   = 24 * time.Hour
)

var (
	mailsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "notification_mails_total",
		Help: "Mails by outcome: sent, dropped (no longer wanted), dead (undeliverable) or " +
			"retried (counted at each failed attempt).",
	}, []string{"kind", "outcome"})
	tracer = otel.Tracer("github.com/frontrow-tickets/frontrow/services/notification-service/internal/delivery")
)

// Sender sends mails that are due.
type Sender struct {
	Store   *postgres.Store
	Records *records.Client
	Server  *smtp.Server
	// PublicURL is the base of links.
	PublicURL string

	wake chan struct{}
}

// NewSender returns a sender. It makes the store wake it.
func NewSender(store *postgres.Store, r *records.Client, server *smtp.Server, publicURL string) *Sender {
	s := &Sender{Store: store, Records: r, Server: server, PublicURL: publicURL, wake: make(chan struct{}, 1)}
	store.OnDue = s.signal
	for _, kind := range notification.Kinds() {
		// Create the counters at zero: one that first appears with a value shows
		// no increase.
		for _, outcome := range []string{"sent", "dropped", "dead", "retried"} {
			mailsTotal.WithLabelValues(string(kind), outcome)
		}
	}
	return s
}

func (s *Sender) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends. Mails that are being sent are finished.
func (s *Sender) Run(ctx context.Context) error {
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	defer s.Server.Close()
	defer wg.Wait()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		// A mail's lease begins when it is picked: pick no more than can start now.
		if free := parallel - len(slots); free > 0 {
			due, err := s.Store.Pick(ctx, free, lease)
			if err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "pick mails failed, retrying", "error", err)
			}
			for _, m := range due {
				slots <- struct{}{}
				wg.Go(func() {
					s.process(context.WithoutCancel(ctx), m)
					<-slots
					s.signal() // there may be another one
				})
			}
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-tick.C:
			s.Server.CloseIdle()
		}
	}
	return nil
}

// process sends a mail and records the outcome.
func (s *Sender) process(ctx context.Context, m postgres.Due) {
	ctx, span := tracer.Start((&kafka.Message{Header: m.Trace}).Context(ctx), "send mail",
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("mail.kind", string(m.Kind)), attribute.String("mail.reason", m.Reason)))
	defer span.End()
	outcome, mark := s.decide(ctx, m, s.deliver(ctx, m))
	if outcome == "dead" || outcome == "retried" {
		span.SetStatus(codes.Error, outcome)
	}
	if err := persist(ctx, mark); err != nil {
		slog.ErrorContext(ctx, "record mail failed, it may be sent again",
			"reason", m.Reason, "outcome", outcome, "error", err)
		return
	}
	mailsTotal.WithLabelValues(string(m.Kind), outcome).Inc()
}

// decide returns the outcome of an attempt and what stores it.
func (s *Sender) decide(
	ctx context.Context, m postgres.Due, err error,
) (outcome string, mark func(context.Context) error) {
	var unwanted *notification.UnwantedError
	var rejected *smtp.RejectedError
	log := slog.With("reason", m.Reason, "kind", m.Kind, "tries", m.Tries, "error", err)
	switch {
	case err == nil:
		return "sent", func(ctx context.Context) error { return s.Store.Sent(ctx, m) }
	case errors.As(err, &unwanted):
		log.InfoContext(ctx, "mail dropped")
		return "dropped", func(ctx context.Context) error { return s.Store.Dropped(ctx, m, err) }
	case errors.As(err, &rejected), time.Since(m.CreatedAt) > giveUp:
		log.ErrorContext(ctx, "mail is undeliverable")
		return "dead", func(ctx context.Context) error { return s.Store.Dead(ctx, m, err) }
	default:
		delay := backOff(m.Tries)
		log.WarnContext(ctx, "send mail failed, retrying", "retry_in", delay)
		return "retried", func(ctx context.Context) error { return s.Store.Retry(ctx, m, delay, err) }
	}
}

// backOff returns the delay after the given number of attempts: exponential,
// with a jitter of a half.
func backOff(tries int) time.Duration {
	d := min(minDelay<<min(tries-1, 20), maxDelay)
	return d/2 + rand.N(d)
}

// persist retries mark while Postgres does not answer: a sent mail that is not
// marked would be sent again.
func persist(ctx context.Context, mark func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, markTimeout)
	defer cancel()
	for {
		err := mark(ctx)
		if err == nil {
			return nil
		}
		if !clock.Sleep(ctx, time.Second) {
			return err
		}
	}
}

// deliver builds and sends a mail. A mail that cannot be built is retried:
// another version may be able to.
func (s *Sender) deliver(ctx context.Context, m postgres.Due) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("build mail: panic: %v", r)
		}
	}()
	to, message, err := s.build(ctx, m)
	if err != nil {
		return err
	}
	return s.Server.Send(ctx, m.Reason, to, message)
}
