package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

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

func TestListOfOneEvent(t *testing.T) {
	s := start3(t)
	user := uuid.Must(uuid.NewV7())
	wanted, other := s.sale(t, nil), s.sale(t, nil)
	var want []uuid.UUID // newest first
	for _, seat := range []string{"1-0", "1-2", "1-4"} {
		status, b, data := s.hold(t, 0, user, "", seats(wanted.EventID, seat))
		if status != http.StatusCreated {
			t.Fatalf("hold: %d %s", status, data)
		}
		want = append([]uuid.UUID{b.ID}, want...)
		if status, _, data := s.hold(t, 1, user, "", seats(other.EventID, seat)); status != http.StatusCreated {
			t.Fatalf("hold at the other event: %d %s", status, data)
		}
	}
	list := func() (got []uuid.UUID) {
		for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
			status, data, _ := s.get(t, s.replicas[2], "/api/v1/bookings?limit=2&event_id="+wanted.EventID.String()+"&cursor="+cursor, user)
			var page struct {
				Items      []answer
				NextCursor string `json:"next_cursor"`
			}
			if err := json.Unmarshal([]byte(data), &page); err != nil || status != http.StatusOK || pages == 2 {
				t.Fatalf("page %d: %d %s %v", pages, status, data, err)
			}
			for _, b := range page.Items {
				got = append(got, b.ID)
			}
			cursor = page.NextCursor
		}
		return got
	}
	// A replica that has just started may not have found the others yet.
	testkit.Eventually(t, "the list has the bookings of one event", func() bool { return slices.Equal(list(), want) })
	if status, data, _ := s.get(t, s.replicas[0], "/api/v1/bookings?event_id=x", user); status != http.StatusUnprocessableEntity || !strings.Contains(data, `"event_id"`) {
		t.Errorf("event_id=x: %d %s", status, data)
	}
}

func TestConcurrentHoldsWithSameKeyMakeOneBooking(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	for name, body := range map[string]string{
		"seats": seats(def.EventID, "1-30", "2-30"), "best": best(def.EventID, "stalls", 2), "standing": best(def.EventID, "floor", 3),
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

func TestStrangersAreRefused(t *testing.T) {
	s := start3(t)
	forged := testkit.Forged(t, name)
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
