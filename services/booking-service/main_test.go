package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/challenge"
)

// The whole program runs against real backends: three replicas that share a
// keyspace, as in production.
var (
	theSystem  *system
	systemOnce sync.Once
	stopSystem func()
)

func TestMain(m *testing.M) {
	code := m.Run()
	if stopSystem != nil {
		stopSystem()
	}
	os.Exit(code)
}

type system struct {
	replicas []string
	// signer signs as the gateway, payments as payment-service, notifications
	// as notification-service.
	signer, payments, notifications *identity.Signer
	producer                        *kafka.Producer
}

func start3(t *testing.T) *system {
	t.Helper()
	systemOnce.Do(func() {
		retired, _, _ := ed25519.GenerateKey(nil) // a retired ticket key
		signer, key := testkit.Signer(t, name)
		payments, paymentKey := testkit.Signer(t, name)
		notifications, notificationKey := testkit.Signer(t, name)
		s := &system{signer: signer, payments: payments, notifications: notifications}
		base := config{
			Config: servicetest.Config(), IdentityKeys: key, PaymentKeys: paymentKey, NotificationKeys: notificationKey,
			Cassandra: cassandra.Config{Hosts: testkit.Cassandra(t), Keyspace: testkit.Unique("booking"), Replication: 1},
			RedisURL:  testkit.Redis(t), Kafka: kafka.Cluster{Brokers: testkit.Kafka(t)},
			Topics:           kafka.Topics{Partitions: 12, Replication: 1},
			TicketSigningKey: testkit.Seed(t), TicketPublicKeys: base64.StdEncoding.EncodeToString(retired),
			Challenge: challenge.Config{Bits: 8}, HoldTarget: 500 * time.Millisecond,
		}
		if err := migrate(t.Context(), migrateConfig{base.Cassandra}); err != nil {
			t.Fatal(err)
		}
		var replicas []*servicetest.Instance
		for n := range 3 {
			cfg := base
			cfg.InstanceID = fmt.Sprintf("%s-%d", name, n+1)
			i, err := servicetest.Run(&cfg.Config, func(ctx context.Context) error { return run(ctx, cfg) })
			if err != nil {
				t.Fatal(err)
			}
			i.AwaitReady(t)
			replicas = append(replicas, i)
			s.replicas = append(s.replicas, "http://"+i.Public)
		}
		var err error
		if s.producer, err = kafka.NewProducer(base.Kafka, "test"); err != nil {
			t.Fatal(err)
		}
		theSystem = s
		stopSystem = func() {
			var stopping sync.WaitGroup
			for _, i := range replicas {
				stopping.Go(func() {
					if err := i.Stop(); err != nil {
						fmt.Fprintln(os.Stderr, "a replica failed:", err)
					}
				})
			}
			stopping.Wait()
		}
	})
	if theSystem == nil {
		t.Fatal("the system did not start")
	}
	return theSystem
}

func (s *system) send(t *testing.T, topic, ceType, key string, payload any) {
	t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.producer.Publish(t.Context(), kafka.Message{Topic: topic, Key: key, Type: ceType, Source: "/test", Data: data}); err != nil {
		t.Fatal(err)
	}
}

// sale opens the sale of an event with two blocks of 4 rows of 10 and a
// standing area of 20, and waits until every replica has it.
func (s *system) sale(t *testing.T, change func(*events.EventChanged)) events.EventChanged {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	def := events.EventChanged{
		EventID: uuid.Must(uuid.NewV7()), Version: 1, Status: events.StatusPublished, OrganizerID: uuid.Must(uuid.NewV7()),
		Name: "Concert", VenueName: "Hall", TimeZone: "Europe/Berlin", Currency: "EUR",
		StartsAt: now.Add(48 * time.Hour), EndsAt: now.Add(50 * time.Hour), SaleStartsAt: now.Add(-time.Hour), SaleEndsAt: now.Add(24 * time.Hour),
		MaxSeatsPerBuyer: 8, HoldSeconds: 600,
		TicketTypes: []events.TicketType{
			{ID: "stalls", Name: "Stalls", Category: "A", Price: 5000}, {ID: "floor", Name: "Floor", Category: "F", Price: 2500},
		},
	}
	for range 2 {
		b := events.Block{Section: "Stalls"}
		for r := range 4 {
			b.Rows = append(b.Rows, events.Row{Label: string(rune('A' + r)), First: 1, Runs: []events.Run{{Category: "A", Count: 10}}})
		}
		b.Rows[3].Blocked = []int{9}
		def.Blocks = append(def.Blocks, b)
	}
	def.Blocks = append(def.Blocks, events.Block{
		Section: "Floor", GeneralAdmission: true, Rows: []events.Row{{First: 1, Runs: []events.Run{{Category: "F", Count: 20}}}},
	})
	if change != nil {
		change(&def)
	}
	s.send(t, events.TopicEventChanged, events.TypeEventChanged, def.EventID.String(), def)
	for _, r := range s.replicas {
		testkit.Eventually(t, "the sale is open", func() bool {
			status, _, _ := s.get(t, r, "/api/v1/events/"+def.EventID.String()+"/seats", uuid.Nil)
			return status == http.StatusOK
		})
	}
	return def
}

type answer struct {
	ID          uuid.UUID `json:"id"`
	OrderNumber string    `json:"order_number"`
	Status      any       `json:"status"`
	Reason      string    `json:"reason"`
	Code        string    `json:"code"`
	ExpiresAt   time.Time `json:"expires_at"`
	Total       events.Money
	Payment     *struct{ Status string }
}

func (s *system) do(t *testing.T, base, method, path string, user uuid.UUID, key, body string) (int, string, http.Header) {
	t.Helper()
	id := identity.Identity{UserID: user, Role: identity.Customer, Email: "buyer@example.com", Recent: true}
	if user == uuid.Nil {
		id.Role = identity.Anonymous
	}
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	return s.as(t, id, base, method, path, header, body)
}

// as sends a request as a user.
func (s *system) as(t *testing.T, id identity.Identity, base, method, path string, header http.Header, body string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	token := s.signer.Sign(id)
	req.Header.Set("Content-Type", "application/json")
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set(identity.Header, token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data), resp.Header
}

func (s *system) get(t *testing.T, base, path string, user uuid.UUID) (int, string, http.Header) {
	t.Helper()
	return s.do(t, base, http.MethodGet, path, user, "", "")
}

func (s *system) hold(t *testing.T, replica int, user uuid.UUID, key, body string) (int, answer, string) {
	t.Helper()
	status, data, _ := s.do(t, s.replicas[replica%3], http.MethodPost, "/api/v1/bookings", user, key, body)
	return status, parse(t, data), data
}

func parse(t *testing.T, data string) (a answer) {
	t.Helper()
	if err := json.Unmarshal([]byte(data), &a); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return a
}

func (s *system) booking(t *testing.T, user, id uuid.UUID) answer {
	t.Helper()
	status, data, _ := s.get(t, s.replicas[0], "/api/v1/bookings/"+id.String(), user)
	if status != http.StatusOK {
		t.Fatalf("GET booking: %d %s", status, data)
	}
	return parse(t, data)
}

func (s *system) waitStatus(t *testing.T, user, id uuid.UUID, want string) answer {
	t.Helper()
	var last answer
	testkit.Eventually(t, "booking "+id.String()+" is "+want, func() bool {
		last = s.booking(t, user, id)
		return last.Status == want
	})
	return last
}

func seats(event uuid.UUID, ids ...string) string {
	return fmt.Sprintf(`{"event_id":%q,"seat_ids":["%s"]}`, event, strings.Join(ids, `","`))
}

func best(event uuid.UUID, ticketType string, n int) string {
	return fmt.Sprintf(`{"event_id":%q,"ticket_type_id":%q,"quantity":%d}`, event, ticketType, n)
}

// listen returns the messages of a topic with a key.
func (s *system) listen(t *testing.T, topic, key string) <-chan kafka.Message {
	t.Helper()
	messages := make(chan kafka.Message, 10)
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: kafka.Cluster{Brokers: testkit.Kafka(t)}, Group: testkit.Unique("listener"), ClientID: "listener",
		Handlers: map[string]kafka.Handler{topic: kafka.Each(func(_ context.Context, m kafka.Message) error {
			if m.Key == key {
				messages <- m
			}
			return nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = consumer.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return messages
}
