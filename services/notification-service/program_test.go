package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	mock "github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	messages "github.com/frontrow-tickets/frontrow/services/notification-service/internal/kafka"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/smtp/smtptest"
)

// program is the whole service with its own database, Kafka, mail server,
// auth-service and booking-service.
type program struct {
	*servicetest.Instance
	cfg      config
	signer   *identity.Signer
	pool     *pgxpool.Pool
	producer *kafka.Producer
	sink     *smtptest.Server
	peers    *peers
}

// newProgram prepares a program. The mail server does not run yet.
func newProgram(t *testing.T) *program {
	t.Helper()
	signer, key := testkit.Signer(t, name)
	p := &program{signer: signer, sink: smtptest.New(t)}
	authKey, bookingKey := testkit.Seed(t), testkit.Seed(t)
	p.cfg = config{
		Config: servicetest.Config(), IdentityKeys: key, AuthKeys: authKey, BookingKeys: bookingKey,
		PostgresURL: pgtest.URL(t), Kafka: kafka.Cluster{Brokers: newKafka(t)},
		SMTPURL: "smtp://" + p.sink.Addr + "?tls=none", MailFrom: "Frontrow <tickets@example.org>",
		PublicURL: "https://frontrow.example/",
	}
	p.peers = &peers{accounts: map[uuid.UUID]events.Account{}, bookings: map[uuid.UUID]events.BookingRecord{}}
	p.cfg.DiscoveryDNS = map[string]string{
		authService:    serve(t, &p.peers.mu, authService, authKey, events.Accounts, p.peers.accounts),
		bookingService: serve(t, &p.peers.mu, bookingService, bookingKey, events.BookingRecords, p.peers.bookings),
	}
	if err := migrate(t.Context(), migrateConfig{p.cfg.PostgresURL}); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.pool, err = pgxpool.New(t.Context(), p.cfg.PostgresURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.pool.Close)
	if p.producer, err = kafka.NewProducer(p.cfg.Kafka, "test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.producer.Close(context.Background()) })
	return p
}

// newKafka returns the address of a mock cluster with the topics.
func newKafka(t *testing.T) string {
	t.Helper()
	cluster, err := mock.NewMockCluster(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	for topic := range messages.Handlers(nil) {
		if err := cluster.CreateTopic(topic, 3, 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, topic := range messages.Topics {
		if err := cluster.CreateTopic(topic, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	return cluster.BootstrapServers()
}

// start runs the program until the test ends.
func (p *program) start(t *testing.T) *program {
	t.Helper()
	p.Instance = servicetest.Start(t, &p.cfg.Config, func(ctx context.Context) error { return run(ctx, p.cfg) })
	p.AwaitReady(t)
	return p
}

// peers are auth-service and booking-service.
type peers struct {
	mu       sync.Mutex
	accounts map[uuid.UUID]events.Account
	bookings map[uuid.UUID]events.BookingRecord
}

// serve runs a service that has records at a path, and returns its address.
func serve[T any](t *testing.T, mu *sync.Mutex, service, key, path string, records map[uuid.UUID]T) (addr string) {
	t.Helper()
	verifier, err := identity.NewVerifier(service, testkit.Seed(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.AcceptService(key); err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(verifier)
	api.Handle(http.MethodGet, path+"{id}", httpapi.ForServices(func(w http.ResponseWriter, r *http.Request) error {
		id, err := httpapi.PathUUID(r, "id", "It")
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		v, ok := records[id]
		if !ok {
			return problem.NotFound("It")
		}
		return httpapi.WriteJSON(w, http.StatusOK, v)
	}))
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// buyer adds an account.
func (p *program) buyer() events.Account {
	id := uuid.New()
	a := events.Account{UserID: id, Email: id.String() + "@example.com", Name: "Ann", Language: "de"}
	p.peers.mu.Lock()
	defer p.peers.mu.Unlock()
	p.peers.accounts[id] = a
	return a
}

// book adds a booking of an event.
func (p *program) book(buyer events.Account, event uuid.UUID, status rest.BookingStatus) events.BookingRecord {
	start := time.Date(2027, 5, 1, 18, 0, 0, 0, time.UTC)
	b := events.BookingRecord{
		BookingID: uuid.New(), OrderNumber: "K7QX-2M9P", UserID: buyer.UserID, Status: string(status), EventID: event,
		ExpiresAt: time.Now().Add(10 * time.Minute).UTC(), Total: events.Money{Amount: 4200, Currency: "EUR"},
		EventName: "Dawn", VenueName: "Arena", TimeZone: "Europe/Berlin", StartsAt: start, EndsAt: start.Add(2 * time.Hour),
		Tickets: []events.TicketRecord{{ConfirmedSeat: events.ConfirmedSeat{
			ID: "1-1", Section: "A", Row: "1", Number: "1", TicketType: "Adult", Price: 4200,
		}, Code: "code"}},
	}
	p.setBooking(b)
	return b
}

func (p *program) setBooking(b events.BookingRecord) {
	p.peers.mu.Lock()
	defer p.peers.mu.Unlock()
	p.peers.bookings[b.BookingID] = b
}

// stored waits until the mails with these reasons are stored.
func (p *program) stored(t *testing.T, reasons ...string) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("%v are stored", reasons), func() bool {
		return p.count(t, `SELECT count(*) FROM mails WHERE reason = ANY($1)`, reasons) == int64(len(reasons))
	})
}

// settled waits until no mail is due.
func (p *program) settled(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, "no mail is due", func() bool {
		return p.count(t, `SELECT count(*) FROM mails WHERE state = 'due'`) == 0
	})
}

// becomes waits until the mail with a reason has a state.
func (p *program) becomes(t *testing.T, reason, state string) {
	t.Helper()
	testkit.Eventually(t, reason+" is "+state, func() bool {
		return p.count(t, `SELECT count(*) FROM mails WHERE reason = $1 AND state = $2`, reason, state) == 1
	})
}

func (p *program) count(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	if err := p.pool.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// exec changes rows and fails unless it changed some.
func (p *program) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	tag, err := p.pool.Exec(t.Context(), query, args...)
	if err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%s: %v, %d rows", query, err, tag.RowsAffected())
	}
}

// get makes a request as a person; uuid.Nil is anonymous.
func (p *program) get(t *testing.T, user uuid.UUID, path string) (status int, header http.Header, body string) {
	t.Helper()
	role := identity.Customer
	if user == uuid.Nil {
		role = identity.Anonymous
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Public+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(identity.Header, p.signer.Sign(identity.Identity{UserID: user, Role: role}))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}
