package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
	payments "github.com/frontrow-tickets/frontrow/services/payment-service/internal/postgres"
)

// program is the whole service with its own database.
type program struct {
	*servicetest.Instance
	cfg    config
	signer *identity.Signer
	// bookingKey is shared with booking-service.
	bookingKey string
	pool       *pgxpool.Pool
	store      *payments.Store
	// provider keeps its own books.
	provider *provider
	// stop ends the running program as SIGTERM does.
	stop func()
}

func newProgram(t *testing.T) *program {
	t.Helper()
	signer, key := testkit.Signer(t, name)
	p := &program{signer: signer, bookingKey: testkit.Seed(t)}
	p.cfg = config{
		Config: servicetest.Config(), IdentityKeys: key, BookingKeys: p.bookingKey,
		PostgresURL: pgtest.URL(t), Kafka: kafka.Cluster{Brokers: testkit.Kafka(t)},
		Topics: kafka.Topics{Partitions: 12, Replication: 1}, consumerGroup: testkit.Unique("payment-service"),
	}
	p.provider = startProvider(t)
	p.cfg.PSPURL, p.cfg.PSPAPIKey, p.cfg.PSPWebhookSecret = p.provider.url, apiKey, webhookSecret
	err := migrate(t.Context(), migrateConfig{p.cfg.PostgresURL})
	if err != nil {
		t.Fatal(err)
	}
	// As booking-service does.
	err = kafka.EnsureTopics(t.Context(), p.cfg.Kafka, p.cfg.Topics, events.TopicBookingCreated, events.TopicBookingCancelled)
	if err != nil {
		t.Fatal(err)
	}
	if p.pool, err = pgxpool.New(t.Context(), p.cfg.PostgresURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.pool.Close)
	p.store = &payments.Store{Pool: p.pool, OnRefundDue: func() {}}
	return p
}

// start runs the program until the test ends.
func (p *program) start(t *testing.T) *program {
	t.Helper()
	p.Instance = servicetest.Start(t, &p.cfg.Config, func(ctx context.Context) error { return run(ctx, p.cfg) })
	p.provider.reaches(p.Public)
	p.stop = sync.OnceFunc(func() {
		p.provider.forgets(p.Public)
		_ = p.Stop() // Start reports the error
	})
	t.Cleanup(p.stop)
	p.AwaitReady(t)
	return p
}

// newBooking returns booking-service's message about a hold of 10 minutes.
func newBooking(amount int64) events.BookingCreated {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return events.BookingCreated{
		BookingID: uuid.Must(uuid.NewV7()), EventID: uuid.Must(uuid.NewV7()), UserID: uuid.New(),
		Total: events.Money{Amount: amount, Currency: "EUR"}, CreatedAt: now, ExpiresAt: now.Add(10 * time.Minute),
	}
}

func cancelled(b events.BookingCreated, reason events.CancelReason) events.BookingCancelled {
	return events.BookingCancelled{
		BookingID: b.BookingID, EventID: b.EventID, UserID: b.UserID, Reason: reason, CancelledAt: time.Now().UTC(),
	}
}

// held stores bookings as if their messages had arrived.
func (p *program) held(t *testing.T, bookings ...events.BookingCreated) {
	t.Helper()
	if err := p.store.BookingsCreated(t.Context(), bookings); err != nil {
		t.Fatal(err)
	}
}

func (p *program) producer(t *testing.T) *kafka.Producer {
	t.Helper()
	producer, err := kafka.NewProducer(p.cfg.Kafka, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = producer.Close(context.Background()) })
	return producer
}

func message(t *testing.T, topic, typ string, key uuid.UUID, v any) kafka.Message {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := events.Validate(typ, data); err != nil {
		t.Fatal(err)
	}
	return kafka.Message{Topic: topic, Key: key.String(), Type: typ, Source: "/booking-service", Data: data}
}

// listener records the distinct messages of payment_processed and audit by
// key: the booking, or the actor.
type listener struct {
	mu   sync.Mutex
	seen map[string]bool
	all  map[string][]kafka.Message
}

func (p *program) listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{seen: map[string]bool{}, all: map[string][]kafka.Message{}}
	record := func(_ context.Context, batch []kafka.Message) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, m := range batch {
			if err := events.Validate(m.Type, m.Data); err != nil && m.Source == "/payment-service" {
				t.Errorf("%s: %v", m.Type, err)
			}
			if !l.seen[m.ID] {
				l.seen[m.ID] = true
				l.all[m.Key] = append(l.all[m.Key], m)
			}
		}
		return nil
	}
	c, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: p.cfg.Kafka, Group: testkit.Unique("listener"), ClientID: "test", DLQ: p.producer(t),
		Handlers: map[string]kafka.Handler{events.TopicPaymentProcessed: record, events.TopicAudit: record},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return l
}

func (l *listener) types(booking uuid.UUID) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, m := range l.all[booking.String()] {
		out = append(out, m.Type)
	}
	return out
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// call makes a request as a customer with a verified e-mail; uuid.Nil is
// anonymous.
func (p *program) call(t *testing.T, user uuid.UUID, method, path string, body any, header ...string) answer {
	t.Helper()
	role := identity.Customer
	if user == uuid.Nil {
		role = identity.Anonymous
	}
	token := p.signer.Sign(identity.Identity{UserID: user, Role: role, Verified: true})
	return p.send(t, method, path, body, append(header, identity.Header, token)...)
}

// send makes a request; header has names and values in turn.
func (p *program) send(t *testing.T, method, path string, body any, header ...string) answer {
	t.Helper()
	raw, isRaw := body.(string)
	if body != nil && !isRaw {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		raw = string(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Public+path, bytes.NewReader([]byte(raw)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, out}
}

type paymentView struct {
	ID          uuid.UUID      `json:"id"`
	Status      payment.Status `json:"status"`
	FailureCode string         `json:"failure_code"`
	RefundedAt  *time.Time     `json:"refunded_at"`
}

// knows waits until the message about a booking has arrived.
func (p *program) knows(t *testing.T, b events.BookingCreated) {
	t.Helper()
	testkit.Eventually(t, "the booking is known", func() bool {
		return p.count(t, `SELECT count(*) FROM bookings WHERE booking_id = $1`, b.BookingID) == 1
	})
}

// pay starts a payment, which must be accepted.
func (p *program) pay(t *testing.T, b events.BookingCreated, method string) paymentView {
	t.Helper()
	a := p.call(t, b.UserID, http.MethodPost, "/api/v1/payments", map[string]any{"booking_id": b.BookingID, "payment_method": method})
	if a.status != http.StatusAccepted {
		t.Fatalf("POST /payments: %d %s", a.status, a.body)
	}
	var v paymentView
	if err := json.Unmarshal(a.body, &v); err != nil || v.Status != payment.Processing {
		t.Fatalf("%v: %s", err, a.body)
	}
	if want := "/api/v1/payments/" + v.ID.String(); a.header.Get("Location") != want {
		t.Errorf("Location %q, want %q", a.header.Get("Location"), want)
	}
	return v
}

func (p *program) get(t *testing.T, user, id uuid.UUID) paymentView {
	t.Helper()
	a := p.call(t, user, http.MethodGet, "/api/v1/payments/"+id.String(), nil)
	var v paymentView
	if err := json.Unmarshal(a.body, &v); err != nil || a.status != http.StatusOK {
		t.Fatalf("GET /payments: %d %s %v", a.status, a.body, err)
	}
	return v
}

// becomes waits until a payment has a status.
func (p *program) becomes(t *testing.T, user, id uuid.UUID, status payment.Status) (v paymentView) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("payment %s is %s", id, status), func() bool {
		v = p.get(t, user, id)
		return v.Status == status
	})
	return v
}

// count returns a number from the database.
func (p *program) count(t *testing.T, query string, args ...any) int64 {
	t.Helper()
	return count(t, p.pool, query, args...)
}

func count(t *testing.T, pool *pgxpool.Pool, query string, args ...any) (n int64) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// balanced checks that provider and payments agree, and that the net is want.
func (p *program) balanced(t *testing.T, want int64) {
	t.Helper()
	resp, err := http.Get("http://" + p.Admin + "/debug/ledger")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var ledger struct{ Provider, Payments map[string]payment.Balance }
	if err := json.NewDecoder(resp.Body).Decode(&ledger); err != nil {
		t.Fatal(err)
	}
	if theirs, ours := ledger.Provider["EUR"], ledger.Payments["EUR"]; theirs != ours || theirs.Net != want {
		t.Errorf("provider has %+v, payments have %+v, want net %d", theirs, ours, want)
	}
}
