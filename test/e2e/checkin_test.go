package e2e

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

func newScanID() string { return uuid.Must(uuid.NewV7()).String() }

// scan sends a code as the organizer's scanner; it retries while the response
// is 503 or 504.
func (s sale) scan(t *testing.T, scanID, code string) client.CheckInResult {
	t.Helper()
	return scanAt(t, s.organizer.Client, s.event.ID, scanID, code)
}

func scanAt(t *testing.T, door *client.Client, eventID, scanID, code string) (scan client.CheckInResult) {
	t.Helper()
	testkit.Eventually(t, "scan a ticket", func() bool {
		var err error
		scan, err = door.CheckIn(t.Context(), eventID, scanID, code)
		if p := client.AsProblem(err); p != nil && (p.Status == 503 || p.Status == 504) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		return true
	})
	return scan
}

// tickets buys seats and returns their tickets.
func (s sale) tickets(t *testing.T, buyer account, seats ...string) (client.Booking, []client.Ticket) {
	t.Helper()
	booking := buy(t, buyer, s.seats(seats...))
	return booking, must(buyer.Tickets(t.Context(), booking.ID))(t)
}

func TestTicketAdmitsHolderOnce(t *testing.T) {
	s := newSale(t, nil)
	ada := newBuyer(t)
	_, tickets := s.tickets(t, ada, "1-0", "2-4")
	first := newScanID()
	in := s.scan(t, first, tickets[0].Code)
	if in.Result != "admitted" || in.Replayed || in.TicketID != tickets[0].ID || in.Holder != ada.user.Email || in.Seat.ID != tickets[0].SeatID || !in.AdmittedAt.IsZero() {
		t.Errorf("first: %+v", in)
	}
	again := s.scan(t, newScanID(), tickets[0].Code)
	if again.Result != "already_used" || !again.AdmittedAt.Equal(in.ScannedAt) || again.Holder != ada.user.Email {
		t.Errorf("another scan: %+v", again)
	}
	replay := s.scan(t, first, tickets[0].Code)
	if !replay.Replayed || replay.Result != "admitted" || !replay.ScannedAt.Equal(in.ScannedAt) || replay.TicketID != in.TicketID {
		t.Errorf("the same scan: %+v", replay)
	}
	_, err := s.organizer.CheckIn(t.Context(), s.event.ID, first, tickets[1].Code)
	wantCode(t, err, 422, "scan_id_reused")
	// The admin can scan as well.
	if other := scanAt(t, admin, s.event.ID, newScanID(), tickets[1].Code); other.Result != "admitted" {
		t.Errorf("the other ticket: %+v", other)
	}
	log := pages(t, nil, func(query url.Values) ([]client.Scan, string, error) {
		page, err := s.organizer.Scans(t.Context(), s.event.ID, query)
		return page.Items, page.NextCursor, err
	})
	var results []string
	for i, scan := range log {
		results = append(results, scan.Result)
		if i > 0 && scan.ScanID >= log[i-1].ScanID {
			t.Errorf("the log is not newest first: %s, %s", log[i-1].ScanID, scan.ScanID)
		}
	}
	if !slices.Equal(results, []string{"admitted", "already_used", "admitted"}) {
		t.Errorf("the log: %v", results)
	}
}

func TestInvalidTicketsAreNotAdmitted(t *testing.T) {
	s, other := newSale(t, nil), newSale(t, nil)
	ada, bob := newBuyer(t), newBuyer(t)
	_, good := s.tickets(t, ada, "1-0")
	_, elsewhere := other.tickets(t, ada, "1-0")
	booking, cancelled := s.tickets(t, ada, "1-5")
	must(ada.CancelBooking(t.Context(), booking.ID))(t)
	tests := []struct{ name, code, want string }{
		{"of another event", elsewhere[0].Code, "wrong_event"},
		{"of a cancelled booking", cancelled[0].Code, "not_valid"},
		{"not a code", "https://frontrow.example/", "forged"},
		{"signed by nobody", good[0].Code[:strings.LastIndexByte(good[0].Code, '.')+1], "forged"},
		{"with another signature", good[0].Code[:strings.LastIndexByte(good[0].Code, '.')] + elsewhere[0].Code[strings.LastIndexByte(elsewhere[0].Code, '.'):], "forged"},
	}
	for _, at := range []int{0, 5, 20, len(good[0].Code) / 2, len(good[0].Code) - 1} {
		changed := []byte(good[0].Code)
		if changed[at]++; changed[at] == '.' || changed[at] > 'z' {
			changed[at] = 'A'
		}
		tests = append(tests, struct{ name, code, want string }{fmt.Sprintf("byte %d changed", at), string(changed), "forged"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.scan(t, newScanID(), tt.code)
			if got.Result != tt.want || (got.TicketID == "") != (tt.want == "forged") || !got.AdmittedAt.IsZero() {
				t.Errorf("got %+v, want %s", got, tt.want)
			}
		})
	}
	// The seat has a new holder now: the new ticket is admitted, the old one is
	// not.
	_, resold := s.tickets(t, bob, "1-5")
	if got := s.scan(t, newScanID(), resold[0].Code); got.Result != "admitted" || got.Holder != bob.user.Email {
		t.Errorf("who bought the seat again: %+v", got)
	}
	if got := s.scan(t, newScanID(), cancelled[0].Code); got.Result != "not_valid" {
		t.Errorf("who gave it back: %+v", got)
	}
	if got := s.scan(t, newScanID(), good[0].Code); got.Result != "admitted" {
		t.Errorf("after all that: %+v", got)
	}
}

// There are two gateways; one spreads an event's requests over all replicas.
func TestConcurrentScansAdmitHolderOnce(t *testing.T) {
	s := newSale(t, func(e *client.NewEvent) { e.MaxSeatsPerBuyer = 50 })
	spread := s.organizer.At("http://" + must(running.Address("api-gateway-spread"))(t) + "/api/v1")
	const rounds = 8
	var seats []string
	for i := range rounds {
		seats = append(seats, seatID(1, i))
	}
	_, tickets := s.tickets(t, newBuyer(t), seats...)
	for _, ticket := range tickets {
		results := make([]client.CheckInResult, 20)
		var start, done sync.WaitGroup
		start.Add(1)
		for i := range results {
			door := s.organizer.Client
			if i%2 == 0 {
				door = spread
			}
			done.Go(func() {
				start.Wait()
				results[i] = scanAt(t, door, s.event.ID, newScanID(), ticket.Code)
			})
		}
		start.Done()
		done.Wait()
		count := map[string]int{}
		for _, r := range results {
			count[r.Result]++
		}
		if count["admitted"] != 1 || count["already_used"] != 19 {
			t.Fatalf("seat %s: %v", ticket.SeatID, count)
		}
	}
}

func TestConcurrentDuplicatesOfScanAreOneScan(t *testing.T) {
	s := newSale(t, nil)
	spread := s.organizer.At("http://" + must(running.Address("api-gateway-spread"))(t) + "/api/v1")
	_, tickets := s.tickets(t, newBuyer(t), "1-0")
	scanID := newScanID()
	results := make([]client.CheckInResult, 20)
	var done sync.WaitGroup
	for i := range results {
		done.Go(func() { results[i] = scanAt(t, spread, s.event.ID, scanID, tickets[0].Code) })
	}
	done.Wait()
	for _, r := range results {
		if r.Result != "admitted" || !r.ScannedAt.Equal(results[0].ScannedAt) {
			t.Errorf("got %+v, another got %+v", r, results[0])
		}
	}
	if log := must(s.organizer.Scans(t.Context(), s.event.ID, nil))(t); len(log.Items) != 1 {
		t.Errorf("the log has %d lines", len(log.Items))
	}
}

func TestTicketsVerifyOffline(t *testing.T) {
	s := newSale(t, nil)
	booking, tickets := s.tickets(t, newBuyer(t), "1-0")
	keys := map[string]ed25519.PublicKey{}
	for _, key := range must(visitor().TicketKeys(t.Context()))(t) {
		keys[key.Kid] = must(base64.RawURLEncoding.DecodeString(key.X))(t)
	}
	verify := func(code string) bool {
		parts := strings.Split(code, ".")
		signature := must(base64.RawURLEncoding.DecodeString(parts[3]))(t)
		return parts[0] == "FR1" && len(keys[parts[1]]) == ed25519.PublicKeySize &&
			ed25519.Verify(keys[parts[1]], []byte(strings.Join(parts[:3], ".")), signature)
	}
	code := tickets[0].Code
	if !verify(code) {
		t.Errorf("%s is not verified by %v", code, keys)
	}
	claims := strings.Split(code, ".")[2]
	if verify(strings.Replace(code, claims, claims[:len(claims)-4]+"AAAA", 1)) {
		t.Error("changed claims are verified")
	}
	var says struct{ T, B, E, S string }
	if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(claims))(t), &says); err != nil {
		t.Fatal(err)
	}
	if says.T != tickets[0].ID || says.B != booking.ID || says.E != s.event.ID || says.S != "1-0" {
		t.Errorf("the code says %+v", says)
	}
}
