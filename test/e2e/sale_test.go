package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// sale is an event on sale.
type sale struct {
	event     client.Event
	venue     client.Venue
	organizer account
}

// Prices of every test's events, in cents.
const (
	frontPrice = 4500
	rearPrice  = 2000
	floorPrice = 1000
)

// plan returns a hall of rows×seats in front, one row of 10 in the rear, and a
// standing area for 20. Block 1 is the front, block 2 the rear, block 3 the
// area (if the front has at most 300 seats).
func plan(rows, seats int) client.NewVenue {
	front := client.NewSection{ID: "front", Name: "Front"}
	for r := range rows {
		front.Rows = append(front.Rows, row(string(rune('A'+r)), "front", seats, float64(r)))
	}
	return client.NewVenue{
		Name: "Small Hall", City: "Vienna", TimeZone: "Europe/Vienna",
		Categories: []client.Category{{ID: "front", Name: "Front"}, {ID: "rear", Name: "Rear"}, {ID: "floor", Name: "Floor"}},
		Sections:   []client.NewSection{front, {ID: "rear", Name: "Rear", Rows: []client.NewRow{row("Z", "rear", 10, 50)}}},
		Areas:      []client.NewArea{{ID: "pit", Name: "Pit", Category: "floor", Capacity: 20, X: 0, Y: 60}},
	}
}

func row(label, category string, seats int, y float64) client.NewRow {
	r := client.NewRow{Label: label, Category: category}
	for n := range seats {
		r.Seats = append(r.Seats, client.NewSeat{Number: strconv.Itoa(n + 1), X: float64(n), Y: y})
	}
	return r
}

// draftOf returns an event at a venue, on sale now, that starts in a month.
func draftOf(v client.Venue) client.NewEvent {
	now := time.Now().UTC().Truncate(time.Second)
	return client.NewEvent{
		Name: "Late Night Trio", Description: "Three sets.", VenueID: v.ID,
		StartsAt: now.AddDate(0, 1, 0), EndsAt: now.AddDate(0, 1, 0).Add(3 * time.Hour), TimeZone: "Europe/Vienna", Currency: "EUR",
		TicketTypes: []client.NewTicketType{
			{ID: "front", Name: "Front", Category: "front", Price: frontPrice},
			{ID: "rear", Name: "Rear", Category: "rear", Price: rearPrice},
			{ID: "floor", Name: "Floor", Category: "floor", Price: floorPrice},
		},
		SaleStartsAt: now.Add(-time.Hour), SaleEndsAt: now.AddDate(0, 0, 20), MaxSeatsPerBuyer: 8, HoldSeconds: 600,
	}
}

// newSale puts an event on sale in the hall of plan(4, 25), modified by change.
func newSale(t *testing.T, change func(*client.NewEvent)) sale {
	t.Helper()
	return newSaleIn(t, plan(4, 25), change)
}

func newSaleIn(t *testing.T, v client.NewVenue, change func(*client.NewEvent)) sale {
	t.Helper()
	s := sale{organizer: newOrganizer(t)}
	s.venue = must(s.organizer.CreateVenue(t.Context(), v))(t)
	draft := draftOf(s.venue)
	if change != nil {
		change(&draft)
	}
	s.event = must(s.organizer.CreateEvent(t.Context(), draft))(t)
	s.event = must(s.organizer.Publish(t.Context(), s.event.ID))(t)
	awaitSeats(t, s.event.ID)
	return s
}

// awaitSeats waits until every running booking replica knows an event: each
// learns of it separately, within a second or so.
func awaitSeats(t *testing.T, eventID string) {
	t.Helper()
	for replica := 1; ; replica++ {
		address, err := running.Address(fmt.Sprintf("booking-service-%d", replica))
		if err != nil {
			return
		}
		direct := client.New("http://"+address+"/api/v1", nil)
		testkit.Eventually(t, fmt.Sprintf("booking replica %d knows the published event", replica), func() bool {
			token := gatewayIdentity(t, "booking-service").Sign(identity.Identity{Role: identity.Anonymous})
			resp, err := direct.Do(t.Context(), client.Request{
				Method: http.MethodGet, Path: "/events/" + eventID + "/seats", Header: http.Header{identity.Header: {token}},
			})
			return err == nil && resp.Status == http.StatusOK
		})
	}
}

// seats requests seats of this sale.
func (s sale) seats(ids ...string) client.NewBooking {
	return client.NewBooking{EventID: s.event.ID, SeatIDs: ids}
}

// best requests the best available seats of a ticket type.
func (s sale) best(ticketType string, quantity int) client.NewBooking {
	return client.NewBooking{EventID: s.event.ID, TicketTypeID: ticketType, Quantity: quantity}
}

// states returns the states of a block by its number.
func (s sale) states(t *testing.T, block string) string {
	t.Helper()
	for _, b := range must(visitor().Seats(t.Context(), s.event.ID))(t).Blocks {
		if b.ID == block {
			return b.States
		}
	}
	t.Fatalf("the event has no block %s", block)
	return ""
}

// awaitStates waits until a block's states are as wanted, and returns them: the
// replica asked may see another's changes a moment later.
func (s sale) awaitStates(t *testing.T, block, want string, is func(states string) bool) string {
	t.Helper()
	var states string
	testkit.Eventually(t, "block "+block+" is "+want, func() bool {
		states = s.states(t, block)
		return is(states)
	})
	return states
}

// beginning is a condition for awaitStates.
func beginning(with string) func(string) bool {
	return func(states string) bool { return strings.HasPrefix(states, with) }
}

// hold books seats. It retries with the same key while the response asks for a
// retry.
func hold(t *testing.T, buyer account, b client.NewBooking) client.Booking {
	t.Helper()
	return withRetry(t, "hold seats", func(key string) (client.Booking, error) { return buyer.Hold(t.Context(), b, key) })
}

// pay starts a payment, like hold.
func pay(t *testing.T, buyer account, bookingID, method string) client.Payment {
	t.Helper()
	return withRetry(t, "pay", func(key string) (client.Payment, error) { return buyer.Pay(t.Context(), bookingID, method, key) })
}

// withRetry repeats a call with one Idempotency-Key while the response is 503 or
// 504, as the contract tells clients to.
func withRetry[T any](t *testing.T, what string, call func(key string) (T, error)) (out T) {
	t.Helper()
	key := newKey()
	testkit.Eventually(t, what, func() bool {
		var err error
		out, err = call(key)
		if p := client.AsProblem(err); p != nil && (p.Status == 503 || p.Status == 504) {
			return false
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return true
	})
	return out
}

// awaitBooking waits until a booking has a status, and returns it.
func awaitBooking(t *testing.T, buyer account, id, status string) client.Booking {
	t.Helper()
	return awaitBookingIs(t, buyer, id, status, func(b client.Booking) bool { return b.Status == status })
}

func awaitBookingIs(t *testing.T, buyer account, id, what string, condition func(client.Booking) bool) (b client.Booking) {
	t.Helper()
	testkit.Eventually(t, "booking "+id+" becomes "+what, func() bool {
		var err error
		b, err = buyer.Booking(t.Context(), id)
		return err == nil && condition(b)
	})
	return b
}

// awaitPayment waits until a payment has a status, and returns it.
func awaitPayment(t *testing.T, buyer account, id, status string) (p client.Payment) {
	t.Helper()
	testkit.Eventually(t, "payment "+id+" becomes "+status, func() bool {
		var err error
		p, err = buyer.Payment(t.Context(), id)
		return err == nil && p.Status == status
	})
	return p
}

// buy holds and pays, and waits for the confirmation.
func buy(t *testing.T, buyer account, b client.NewBooking) client.Booking {
	t.Helper()
	booking := hold(t, buyer, b)
	pay(t, buyer, booking.ID, "pm_ok")
	return awaitBooking(t, buyer, booking.ID, "confirmed")
}
