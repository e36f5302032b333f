package main

import (
	"bufio"
	"bytes"
	"context"
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
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
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
	signer   *identity.Signer
	producer *kafka.Producer
}

func start3(t *testing.T) *system {
	t.Helper()
	systemOnce.Do(func() {
		s := &system{signer: testkit.Signer(t)}
		base := config{
			IdentityPublicKeys: s.signer.PublicKey(), CassandraHosts: testkit.Cassandra(t), CassandraKeyspace: testkit.Unique("booking"),
			CassandraReplication: 1, RedisURL: testkit.Redis(t), KafkaBrokers: testkit.Kafka(t), KafkaPartitions: 12, KafkaReplication: 1,
			TicketSigningKey: testkit.Seed(t),
		}
		if err := migrate(t.Context(), base); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		for range 3 {
			cfg := base
			cfg.Config = observe.Config{HTTPAddr: testkit.FreeAddr(t), AdminAddr: testkit.FreeAddr(t), LogLevel: "warn"}
			running.Go(func() {
				if err := run(ctx, cfg); err != nil {
					fmt.Fprintln(os.Stderr, "a replica failed:", err)
				}
			})
			testkit.Eventually(t, "a replica is ready", func() bool {
				resp, err := http.Get("http://" + cfg.AdminAddr + "/readyz")
				if err != nil {
					return false
				}
				defer resp.Body.Close()
				return resp.StatusCode == http.StatusOK
			})
			s.replicas = append(s.replicas, "http://"+cfg.HTTPAddr)
		}
		var err error
		if s.producer, err = kafka.NewProducer(base.KafkaBrokers, "test"); err != nil {
			t.Fatal(err)
		}
		theSystem = s
		stopSystem = func() { cancel(); running.Wait() }
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
		EventID: uuid.Must(uuid.NewV7()), Version: 1, Status: events.EventPublished, OrganizerID: uuid.Must(uuid.NewV7()),
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
	ID        uuid.UUID `json:"id"`
	Status    any       `json:"status"`
	Reason    string    `json:"reason"`
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expires_at"`
	Total     events.Money
	Payment   *struct{ Status string }
}

func (s *system) do(t *testing.T, base, method, path string, user uuid.UUID, key, body string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	id := identity.Identity{UserID: user, Role: identity.Customer, Email: "buyer@example.com"}
	if user == uuid.Nil {
		id.Role = identity.Anonymous
	}
	token, err := s.signer.Sign(id)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(identity.Header, token)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
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

func TestTwentyBuyersOneWinner(t *testing.T) {
	s := start3(t)
	const rounds = 10
	for round := range rounds {
		def := s.sale(t, nil)
		// Seats of both blocks: a hold that spans partitions.
		body := seats(def.EventID, "1-0", "1-1", "2-0", "2-1")
		if round%2 == 0 {
			body = seats(def.EventID, "1-0", "1-1", "1-2", "1-3")
		}
		var mu sync.Mutex
		count := map[int]int{}
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				status, a, data := s.hold(t, i, uuid.Must(uuid.NewV7()), "", body)
				mu.Lock()
				defer mu.Unlock()
				count[status]++
				if status == http.StatusConflict && (a.Code != "seats_taken" || !strings.Contains(data, `"seats":["`)) {
					t.Errorf("a loser got %s", data)
				}
			})
		}
		group.Wait()
		if count[http.StatusCreated] != 1 || count[http.StatusConflict] != 19 {
			t.Fatalf("round %d: answers %v", round, count)
		}
	}
}

func TestSameKeyTwentyTimesIsOneBooking(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	for name, body := range map[string]string{
		"seats": seats(def.EventID, "1-4", "2-4"), "best": best(def.EventID, "stalls", 2), "standing": best(def.EventID, "floor", 3),
	} {
		t.Run(name, func(t *testing.T) {
			user := uuid.Must(uuid.NewV7())
			var mu sync.Mutex
			ids := map[uuid.UUID]int{}
			var group sync.WaitGroup
			for i := range 20 {
				group.Go(func() {
					status, a, data := s.hold(t, i, user, "key-"+name, body)
					if status != http.StatusCreated {
						t.Errorf("answer %d %s", status, data)
					}
					mu.Lock()
					defer mu.Unlock()
					ids[a.ID]++
				})
			}
			group.Wait()
			if len(ids) != 1 {
				t.Fatalf("bookings %v", ids)
			}
			status, data, _ := s.get(t, s.replicas[1], "/api/v1/bookings", user)
			if status != http.StatusOK || strings.Count(data, `"status":"held"`) != 1 {
				t.Fatalf("list: %d %s", status, data)
			}
			if status, a, _ := s.hold(t, 0, user, "key-"+name, best(def.EventID, "floor", 1)); status != 422 || a.Code != "idempotency_key_reused" {
				t.Errorf("another body under the key: %d %s", status, a.Code)
			}
		})
	}
}

func TestSagaConfirmsAndCancels(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	user := uuid.Must(uuid.NewV7())
	status, b, data := s.hold(t, 0, user, "", seats(def.EventID, "1-0", "2-0"))
	if status != http.StatusCreated || b.Total.Amount != 10000 {
		t.Fatalf("hold: %d %s", status, data)
	}
	if status, data, _ := s.get(t, s.replicas[1], "/api/v1/bookings/"+b.ID.String()+"/tickets", user); status != http.StatusConflict {
		t.Errorf("tickets of a hold: %d %s", status, data)
	}
	payment := uuid.Must(uuid.NewV7())
	paid := events.PaymentConfirmed{
		PaymentID: payment, BookingID: b.ID, EventID: def.EventID, HomeBlock: 1, Amount: events.Money{Amount: 10000, Currency: "EUR"}, CapturedAt: time.Now().UTC(),
	}
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, b.ID.String(), paid)
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, b.ID.String(), paid)
	s.waitStatus(t, user, b.ID, "confirmed")
	for _, r := range s.replicas {
		testkit.Eventually(t, "both blocks show the sale on every replica", func() bool {
			_, data, _ := s.get(t, r, "/api/v1/events/"+def.EventID.String()+"/seats", uuid.Nil)
			return strings.Count(data, `"states":"s`) == 2
		})
	}
	if status, data, _ := s.get(t, s.replicas[1], "/api/v1/bookings/"+b.ID.String()+"/tickets", user); status != http.StatusOK || strings.Count(data, "FR1.") != 2 {
		t.Errorf("tickets: %d %s", status, data)
	}
	if status, data, _ := s.get(t, s.replicas[1], "/api/v1/bookings/"+b.ID.String(), uuid.Must(uuid.NewV7())); status != http.StatusNotFound {
		t.Errorf("somebody else's booking: %d %s", status, data)
	}
	for range 2 {
		if status, data, _ := s.do(t, s.replicas[2], http.MethodPost, "/api/v1/bookings/"+b.ID.String()+"/cancel", user, "", ""); status != http.StatusOK {
			t.Fatalf("cancel: %d %s", status, data)
		}
	}
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentRefunded, b.ID.String(), events.PaymentRefunded{
		PaymentID: payment, BookingID: b.ID, EventID: def.EventID, HomeBlock: 1, Amount: paid.Amount, Reason: events.CancelledByBuyer, RefundedAt: time.Now().UTC(),
	})
	testkit.Eventually(t, "the refund is noted", func() bool {
		b := s.booking(t, user, b.ID)
		return b.Status == "cancelled" && b.Payment != nil && b.Payment.Status == "refunded"
	})
	testkit.Eventually(t, "the seats are free again", func() bool {
		status, _, _ := s.hold(t, 1, uuid.Must(uuid.NewV7()), "again", seats(def.EventID, "1-0", "2-0"))
		return status == http.StatusCreated
	})
}

func TestExpiredHoldIsSoldAgainAndTheLatePaymentGoesBack(t *testing.T) {
	s := start3(t)
	def := s.sale(t, func(e *events.EventChanged) { e.HoldSeconds = 1 })
	first, second := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	status, b, data := s.hold(t, 0, first, "", seats(def.EventID, "1-0", "2-0"))
	if status != http.StatusCreated {
		t.Fatalf("hold: %d %s", status, data)
	}
	s.waitStatus(t, first, b.ID, "expired")
	testkit.Eventually(t, "the seats are free again", func() bool {
		status, _, _ := s.hold(t, 2, second, "mine", seats(def.EventID, "1-0", "2-0"))
		return status == http.StatusCreated
	})
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, b.ID.String(), events.PaymentConfirmed{
		PaymentID: uuid.Must(uuid.NewV7()), BookingID: b.ID, EventID: def.EventID, HomeBlock: 1, Amount: b.Total, CapturedAt: time.Now().UTC(),
	})
	testkit.Eventually(t, "the late payment is on its way back", func() bool {
		b := s.booking(t, first, b.ID)
		return b.Status == "expired" && b.Payment != nil && b.Payment.Status == "refunding"
	})
}

func TestCancelledEventEndsEverything(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	user := uuid.Must(uuid.NewV7())
	_, held, _ := s.hold(t, 0, user, "", seats(def.EventID, "1-0", "2-0"))
	_, paid, _ := s.hold(t, 1, user, "", best(def.EventID, "floor", 2))
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, paid.ID.String(), events.PaymentConfirmed{
		PaymentID: uuid.Must(uuid.NewV7()), BookingID: paid.ID, EventID: def.EventID, HomeBlock: 3, Amount: paid.Total, CapturedAt: time.Now().UTC(),
	})
	s.waitStatus(t, user, paid.ID, "confirmed")
	def.Version, def.Status = 2, events.EventEnded
	s.send(t, events.TopicEventChanged, events.TypeEventChanged, def.EventID.String(), def)
	s.waitStatus(t, user, held.ID, "cancelled")
	if b := s.waitStatus(t, user, paid.ID, "cancelled"); b.Reason != "event_cancelled" || b.Payment.Status != "refunding" {
		t.Errorf("paid booking: %+v", b)
	}
	for _, r := range s.replicas {
		testkit.Eventually(t, "no seat is left to buy", func() bool {
			_, data, _ := s.get(t, r, "/api/v1/events/"+def.EventID.String()+"/seats", uuid.Nil)
			return strings.Count(data, "x") == 100
		})
	}
	if status, a, _ := s.hold(t, 2, user, "", seats(def.EventID, "1-0")); status != http.StatusConflict {
		t.Errorf("hold after the cancellation: %d %s", status, a.Code)
	}
}

func TestBadRequestsAreRefusedAndChangeNothing(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	id := def.EventID.String()
	notYet := s.sale(t, func(e *events.EventChanged) { e.SaleStartsAt = time.Now().Add(time.Hour).UTC() })
	over := s.sale(t, func(e *events.EventChanged) { e.SaleEndsAt = time.Now().Add(-time.Minute).UTC() })
	many := make([]string, 10000)
	for i := range many {
		many[i] = fmt.Sprintf("%d-%d", i/300+1, i%300)
	}
	_, before, _ := s.get(t, s.replicas[0], "/api/v1/events/"+id+"/seats", uuid.Nil)
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"no JSON":           {`{"event_id"`, 400, "malformed_json"},
		"unknown field":     {`{"event_id":"` + id + `","seats":["1-1"]}`, 400, "unknown_field"},
		"wrong type":        {`{"event_id":"` + id + `","seat_ids":"1-1"}`, 422, "validation_failed"},
		"nothing asked":     {`{"event_id":"` + id + `"}`, 422, "validation_failed"},
		"both asked":        {`{"event_id":"` + id + `","seat_ids":["1-1"],"quantity":1,"ticket_type_id":"stalls"}`, 422, "validation_failed"},
		"seat twice":        {seats(def.EventID, "1-1", "1-1"), 422, "validation_failed"},
		"not a seat id":     {seats(def.EventID, "A12"), 422, "validation_failed"},
		"unknown seats":     {seats(def.EventID, "1-299", "9-1"), 422, "unknown_seats"},
		"blocked seat":      {seats(def.EventID, "1-39"), 409, "seats_taken"},
		"10,000 seats":      {seats(def.EventID, many...), 422, "too_many_seats"},
		"too many seats":    {seats(def.EventID, "1-0", "1-1", "1-2", "1-3", "1-4", "1-5", "1-6", "1-7", "1-8"), 422, "too_many_seats"},
		"negative quantity": {best(def.EventID, "stalls", -1), 422, "validation_failed"},
		"unknown type":      {best(def.EventID, "balcony", 1), 422, "validation_failed"},
		"unknown event":     {seats(uuid.Must(uuid.NewV7()), "1-1"), 409, "event_not_on_sale"},
		"sale not started":  {seats(notYet.EventID, "1-1"), 409, "sale_not_started"},
		"sale over":         {seats(over.EventID, "1-1"), 409, "sale_ended"},
		"10 MB":             {`{"event_id":"` + strings.Repeat("x", 10<<20) + `"}`, 413, "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			status, a, data := s.hold(t, 0, uuid.Must(uuid.NewV7()), "", c.body)
			if status != c.status || a.Code != c.code {
				t.Errorf("got %d %s, want %d %s", status, data, c.status, c.code)
			}
		})
	}
	if status, _, _ := s.hold(t, 0, uuid.Nil, "", seats(def.EventID, "1-1")); status != http.StatusUnauthorized {
		t.Errorf("without a session: %d", status)
	}
	if _, after, _ := s.get(t, s.replicas[0], "/api/v1/events/"+id+"/seats", uuid.Nil); after != before {
		t.Errorf("the seats changed:\n%s\n%s", before, after)
	}
}

func TestBuyerLimitHoldsAcrossBookings(t *testing.T) {
	s := start3(t)
	def := s.sale(t, func(e *events.EventChanged) { e.MaxSeatsPerBuyer = 3 })
	testkit.Eventually(t, "the locks are complete", func() bool {
		user := uuid.Must(uuid.NewV7())
		first, _, _ := s.hold(t, 0, user, "", best(def.EventID, "floor", 2))
		second, a, data := s.hold(t, 1, user, "", best(def.EventID, "floor", 2))
		return first == http.StatusCreated && second == http.StatusConflict && a.Code == "buyer_limit_reached" && strings.Contains(data, `"held":2`)
	})
}

func TestStreamBeginsWithSnapshotAndContinues(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	open := func(last string) (*bufio.Reader, func()) {
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.replicas[1]+"/api/v1/events/"+def.EventID.String()+"/seats/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.signer.Sign(identity.Identity{Role: identity.Anonymous})
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(identity.Header, token)
		req.Header.Set("Last-Event-ID", last)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(resp.Body), func() { cancel(); resp.Body.Close() }
	}
	next := func(r *bufio.Reader) (name, id, data string) {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "event":
				name = value
			case "id":
				id = value
			case "data":
				return name, id, value
			}
		}
	}
	stream, stop := open("")
	name, at, _ := next(stream)
	if name != "snapshot" {
		t.Fatalf("first event: %s", name)
	}
	// Committed by another replica: it comes by the feed.
	s.hold(t, 0, uuid.Must(uuid.NewV7()), "", seats(def.EventID, "2-5"))
	if name, _, data := next(stream); name != "delta" || !strings.Contains(data, `"2-5":"held"`) {
		t.Fatalf("got %s %s", name, data)
	}
	stop()
	again, stop := open(at)
	defer stop()
	if name, _, data := next(again); name != "delta" || !strings.Contains(data, `"2-5":"held"`) {
		t.Fatalf("continued with %s %s", name, data)
	}
}

func TestSnapshotHasETag(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	path := "/api/v1/events/" + def.EventID.String() + "/seats"
	_, _, h := s.get(t, s.replicas[0], path, uuid.Nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.replicas[0]+path, bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	token, _ := s.signer.Sign(identity.Identity{Role: identity.Anonymous})
	req.Header.Set(identity.Header, token)
	req.Header.Set("If-None-Match", h.Get("ETag"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", resp.StatusCode)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	s := start3(t)
	forged, err := testkit.Signer(t).Sign(identity.Identity{UserID: uuid.Must(uuid.NewV7()), Role: identity.Admin})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"none": "", "forged": forged} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.replicas[0]+"/api/v1/bookings", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(identity.Header, token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}
