package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func organizerOf(def events.EventChanged) identity.Identity {
	return identity.Identity{UserID: def.OrganizerID, Role: identity.Organizer}
}

// buy confirms a booking of seats and returns the user and the codes of its tickets.
func (s *system) buy(t *testing.T, def events.EventChanged, seatIDs ...string) (user uuid.UUID, b answer, codes []string) {
	t.Helper()
	user = uuid.Must(uuid.NewV7())
	status, b, data := s.hold(t, 0, user, "", seats(def.EventID, seatIDs...))
	if status != http.StatusCreated {
		t.Fatalf("hold: %d %s", status, data)
	}
	s.send(t, events.TopicPaymentProcessed, events.TypePaymentConfirmed, b.ID.String(), events.PaymentConfirmed{
		PaymentID: uuid.Must(uuid.NewV7()), BookingID: b.ID, EventID: def.EventID, Amount: b.Total, CapturedAt: time.Now().UTC(),
	})
	s.waitStatus(t, user, b.ID, "confirmed")
	var tickets struct{ Items []struct{ Code string } }
	s.read(t, identity.Identity{UserID: user, Role: identity.Customer}, "/bookings/"+b.ID.String()+"/tickets", &tickets)
	for _, item := range tickets.Items {
		codes = append(codes, item.Code)
	}
	return user, b, codes
}

// read gets a page as a user.
func (s *system) read(t *testing.T, id identity.Identity, path string, into any) http.Header {
	t.Helper()
	status, data, header := s.as(t, id, s.replicas[0], http.MethodGet, "/api/v1"+path, nil, "")
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, data)
	}
	if err := json.Unmarshal([]byte(data), into); err != nil {
		t.Fatalf("%s: %v in %s", path, err, data)
	}
	return header
}

type scanAnswer struct {
	ScanID     uuid.UUID  `json:"scan_id"`
	Result     string     `json:"result"`
	ScannedAt  time.Time  `json:"scanned_at"`
	AdmittedAt *time.Time `json:"admitted_at"`
	Holder     string     `json:"holder"`
	Seat       *struct{ ID string }
}

// scan sends a code to a replica; it retries on 503, as scanners do.
func (s *system) scan(t *testing.T, replica int, def events.EventChanged, scanID uuid.UUID, code string) (int, string, http.Header) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"scan_id": scanID.String(), "code": code})
	if err != nil {
		t.Fatal(err)
	}
	for {
		status, data, header := s.as(t, organizerOf(def), s.replicas[replica%3], http.MethodPost, "/api/v1/events/"+def.EventID.String()+"/check-ins", nil, string(body))
		if status != http.StatusServiceUnavailable {
			return status, data, header
		}
	}
}

func TestConcurrentScansAtThreeReplicasAdmitHolderOnce(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	for round := range 5 {
		_, _, codes := s.buy(t, def, fmt.Sprintf("1-%d", round))
		var mu sync.Mutex
		results := map[string]int{}
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				status, data, _ := s.scan(t, i, def, uuid.Must(uuid.NewV7()), codes[0])
				var a scanAnswer
				if err := json.Unmarshal([]byte(data), &a); status != http.StatusOK || err != nil {
					t.Errorf("%d %s %v", status, data, err)
				}
				mu.Lock()
				defer mu.Unlock()
				results[a.Result]++
			})
		}
		group.Wait()
		if results["admitted"] != 1 || results["already_used"] != 19 {
			t.Fatalf("round %d: %v", round, results)
		}
	}
}

func TestRepeatedScanIsReplayedAndReusedScanIDRefused(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	_, _, codes := s.buy(t, def, "1-0", "2-0")
	scanID := uuid.Must(uuid.NewV7())
	answers := make([]string, 20)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { _, answers[i], _ = s.scan(t, i, def, scanID, codes[0]) })
	}
	group.Wait()
	for _, a := range answers {
		if a != answers[0] || !strings.Contains(a, `"admitted"`) {
			t.Fatalf("two answers:\n%s\n%s", answers[0], a)
		}
	}
	if status, again, header := s.scan(t, 2, def, scanID, codes[0]); status != http.StatusOK || again != answers[0] || header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("replay: %d %s, %v", status, again, header)
	}
	if status, data, _ := s.scan(t, 1, def, scanID, codes[1]); status != 422 || parse(t, data).Code != "scan_id_reused" {
		t.Errorf("another code: %d %s", status, data)
	}
	if status, data, _ := s.scan(t, 1, def, uuid.Must(uuid.NewV7()), codes[1]); status != http.StatusOK || !strings.Contains(data, `"admitted"`) {
		t.Errorf("the other ticket by itself: %d %s", status, data)
	}
}

func TestResoldSeatAdmitsNewHolderOnly(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	user, b, codes := s.buy(t, def, "2-7")
	result := func(code string) string {
		t.Helper()
		status, data, _ := s.scan(t, 1, def, uuid.Must(uuid.NewV7()), code)
		var a scanAnswer
		if err := json.Unmarshal([]byte(data), &a); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, data)
		}
		return a.Result
	}
	entered, used, usedCodes := s.buy(t, def, "2-8")
	if got := result(usedCodes[0]); got != "admitted" {
		t.Fatalf("first: %s", got)
	}
	if status, data, _ := s.do(t, s.replicas[2], http.MethodPost, "/api/v1/bookings/"+used.ID.String()+"/cancel", entered, "", ""); status != http.StatusConflict {
		t.Errorf("cancel after the holder went in: %d %s", status, data)
	}
	if status, data, _ := s.do(t, s.replicas[2], http.MethodPost, "/api/v1/bookings/"+b.ID.String()+"/cancel", user, "", ""); status != http.StatusOK {
		t.Fatalf("cancel: %d %s", status, data)
	}
	if got := result(codes[0]); got != "not_valid" {
		t.Errorf("the cancelled ticket: %s", got)
	}
	_, _, again := s.buy(t, def, "2-7")
	if first, second := result(again[0]), result(again[0]); first != "admitted" || second != "already_used" {
		t.Errorf("the new holder: %s, then %s", first, second)
	}
	if got := result(codes[0]); got != "not_valid" {
		t.Errorf("the cancelled ticket of a seat that is sold: %s", got)
	}
	var log struct {
		Items []scanAnswer
		Next  string `json:"next_cursor"`
	}
	s.read(t, organizerOf(def), "/events/"+def.EventID.String()+"/check-ins?limit=2", &log)
	if len(log.Items) != 2 || log.Items[0].Result != "not_valid" || log.Items[1].Result != "already_used" || log.Next == "" {
		t.Errorf("the log: %+v", log)
	}
}

func TestSalesAndAttendeesAreForTheOrganizer(t *testing.T) {
	s := start3(t)
	def := s.sale(t, func(e *events.EventChanged) { e.Blocks[1].Rows[0].Label = "=1+1" })
	_, first, _ := s.buy(t, def, "1-0", "2-0")
	_, second, codes := s.buy(t, def, "3-4")
	s.hold(t, 0, uuid.Must(uuid.NewV7()), "", seats(def.EventID, "1-3"))
	s.scan(t, 0, def, uuid.Must(uuid.NewV7()), codes[0])
	event := "/events/" + def.EventID.String()

	type counts struct{ Available, Held, Sold, Blocked int }
	var sales struct {
		Seats       counts
		Revenue     events.Money
		TicketTypes []struct {
			ID      string
			Seats   counts
			Revenue events.Money
		} `json:"ticket_types"`
		OverTime struct {
			BucketSeconds int `json:"bucket_seconds"`
			Buckets       []struct {
				StartsAt time.Time `json:"starts_at"`
				Sold     int
				Revenue  int64
			}
		} `json:"over_time"`
	}
	testkit.Eventually(t, "the sales are counted", func() bool {
		s.read(t, organizerOf(def), event+"/sales", &sales)
		return sales.Revenue.Amount == first.Total.Amount+second.Total.Amount && sales.Seats.Sold == 3 && sales.Seats.Held == 1
	})
	if sales.Seats != (counts{94, 1, 3, 2}) || sales.TicketTypes[0].Seats != (counts{75, 1, 2, 2}) || sales.TicketTypes[1].Seats != (counts{19, 0, 1, 0}) {
		t.Errorf("seats: %+v", sales)
	}
	if sales.TicketTypes[0].Revenue.Amount != 10000 || sales.TicketTypes[1].Revenue != (events.Money{Amount: 2500, Currency: "EUR"}) {
		t.Errorf("revenue: %+v", sales)
	}
	sold := 0
	for _, b := range sales.OverTime.Buckets {
		sold += b.Sold
	}
	if sold != 3 || sales.OverTime.BucketSeconds != 10 {
		t.Errorf("over time: %+v", sales.OverTime)
	}

	for q, want := range map[string]int{"": 3, strings.ToLower(second.OrderNumber[:4]): 1, "floor": 1, "buyer@": 3, "nobody": 0} {
		var page struct{ Items []struct{ Holder string } }
		if s.read(t, organizerOf(def), event+"/attendees?q="+url.QueryEscape(q), &page); len(page.Items) != want {
			t.Errorf("q=%s found %+v, want %d", q, page.Items, want)
		}
	}

	audited := s.listen(t, events.TopicAudit, organizerOf(def).UserID.String())
	status, text, header := s.as(t, organizerOf(def), s.replicas[1], http.MethodGet, "/api/v1"+event+"/attendees", http.Header{"Accept": {"text/csv"}}, "")
	if m := <-audited; events.Validate(m.Type, m.Data) != nil || !strings.Contains(string(m.Data), `"attendees_exported"`) {
		t.Errorf("audit entry %s", m.Data)
	}
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if status != http.StatusOK || err != nil || len(lines) != 4 || strings.Count(text, "\r\n") != 4 {
		t.Fatalf("%d %v\n%s", status, err, text)
	}
	if got := header.Get("Content-Disposition"); got != "attachment; filename=attendees-"+def.EventID.String()+".csv" {
		t.Errorf("Content-Disposition %q", got)
	}
	if strings.Join(lines[0], ",") != "ticket,section,row,seat,ticket type,holder,price,currency,order,booking,checked in at" {
		t.Errorf("columns %v", lines[0])
	}
	in := lines[3]
	if in[1] != "Floor" || in[3] != "5" || in[4] != "Floor" || in[5] != "buyer@example.com" || in[6] != "2500" || in[7] != "EUR" || in[8] != second.OrderNumber || in[9] != second.ID.String() || in[10] == "" {
		t.Errorf("the last line: %q", in)
	}
	if !strings.Contains(text, ",'=1+1,") || lines[1][10] != "" {
		t.Errorf("a formula, or one who is not in:\n%s", text)
	}

	rival := identity.Identity{UserID: uuid.New(), Role: identity.Organizer}
	customer := identity.Identity{UserID: def.OrganizerID, Role: identity.Customer}
	boss := identity.Identity{UserID: uuid.New(), Role: identity.Admin}
	anonymous := identity.Identity{Role: identity.Anonymous}
	scan := fmt.Sprintf(`{"scan_id":%q,"code":%q}`, uuid.Must(uuid.NewV7()), "x")
	for _, route := range []struct{ method, path, body string }{
		{"GET", "/sales", ""}, {"GET", "/attendees", ""}, {"GET", "/check-ins", ""}, {"POST", "/check-ins", scan},
	} {
		for _, c := range []struct {
			who    identity.Identity
			event  string
			status int
		}{
			{boss, event, 200},
			{rival, event, 403},
			{customer, event, 403},
			{anonymous, event, 401},
			{boss, "/events/" + uuid.NewString(), 404},
			{boss, "/events/1", 404},
		} {
			if status, data, _ := s.as(t, c.who, s.replicas[0], route.method, "/api/v1"+c.event+route.path, nil, route.body); status != c.status {
				t.Errorf("%s %s%s as %s: %d %s, want %d", route.method, c.event, route.path, c.who.Role, status, data, c.status)
			}
		}
	}
}

func TestInvalidScansAreRefused(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	path := "/api/v1/events/" + def.EventID.String()
	v7 := uuid.Must(uuid.NewV7()).String()
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"no JSON":            {`{`, 400, "malformed_json"},
		"an unknown field":   {`{"scan_id":"` + v7 + `","code":"x","door":1}`, 400, "unknown_field"},
		"nothing":            {`{}`, 422, "validation_failed"},
		"an id of version 4": {`{"scan_id":"` + uuid.NewString() + `","code":"x"}`, 422, "validation_failed"},
		"no code":            {`{"scan_id":"` + v7 + `","code":""}`, 422, "validation_failed"},
		"a long code":        {`{"scan_id":"` + v7 + `","code":"` + strings.Repeat("x", 1025) + `"}`, 422, "validation_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			status, data, _ := s.as(t, organizerOf(def), s.replicas[0], http.MethodPost, path+"/check-ins", nil, c.body)
			if status != c.status || parse(t, data).Code != c.code {
				t.Errorf("%d %s", status, data)
			}
		})
	}
	for _, list := range []string{"/check-ins?cursor=x", "/check-ins?cursor=bnVsbA", "/check-ins?limit=0", "/attendees?cursor=MQ", "/attendees?limit=101"} {
		if status, data, _ := s.as(t, organizerOf(def), s.replicas[0], http.MethodGet, path+list, nil, ""); status != 422 {
			t.Errorf("%s: %d %s", list, status, data)
		}
	}
}

func TestPublishedKeysVerifyCodes(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	_, _, codes := s.buy(t, def, "1-9")
	var set struct{ Keys []struct{ Kid, X string } }
	header := s.read(t, identity.Identity{Role: identity.Anonymous}, "/tickets/keys", &set)
	if len(set.Keys) != 2 || header.Get("Cache-Control") != "public, max-age=300" {
		t.Fatalf("%+v, %v", set, header)
	}
	parts := strings.Split(codes[0], ".")
	key, keyErr := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	signature, err := base64.RawURLEncoding.DecodeString(parts[3])
	if keyErr != nil || err != nil || parts[1] != set.Keys[0].Kid || !ed25519.Verify(key, []byte(strings.Join(parts[:3], ".")), signature) {
		t.Errorf("%s is not verified by %+v", codes[0], set.Keys)
	}
}

func TestBadTicketKeyFailsTheStart(t *testing.T) {
	cfg := config{
		Config: servicetest.Config(), IdentityKeys: testkit.Seed(t), PaymentKeys: testkit.Seed(t), NotificationKeys: testkit.Seed(t),
		TicketSigningKey: testkit.Seed(t), TicketPublicKeys: "c2hvcnQ=",
	}
	if err := run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "TICKET_PUBLIC_KEYS") {
		t.Errorf("got %v", err)
	}
}
