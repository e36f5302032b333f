package e2e

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// indexes returns the indexes of a booking's seats in their block, in order;
// all must be in that block.
func indexes(t *testing.T, b client.Booking, block string) []int {
	t.Helper()
	var out []int
	for _, id := range b.SeatIDs() {
		number, index, _ := strings.Cut(id, "-")
		if number != block {
			t.Fatalf("seat %s is not of block %s", id, block)
		}
		out = append(out, must(strconv.Atoi(index))(t))
	}
	slices.Sort(out)
	return out
}

func adjacent(indexes []int) bool {
	for i := 1; i < len(indexes); i++ {
		if indexes[i] != indexes[i-1]+1 {
			return false
		}
	}
	return true
}

func TestBestAvailableSeatsAreTogetherInOneRow(t *testing.T) {
	s := newSale(t, nil) // four rows of 25
	for _, quantity := range []int{2, 5, 8} {
		buyer := newBuyer(t)
		booking := must(buyer.Hold(t.Context(), s.best("front", quantity), ""))(t)
		got := indexes(t, booking, "1")
		if len(got) != quantity || !adjacent(got) || got[0]/25 != got[len(got)-1]/25 {
			t.Errorf("%d seats: %v", quantity, got)
		}
		if booking.Total.Amount != int64(quantity)*frontPrice {
			t.Errorf("%d seats cost %d", quantity, booking.Total.Amount)
		}
	}
}

func TestBestAvailableLeavesNoSingleSeat(t *testing.T) {
	// One row of five in which the middle three are free: taking seats 0 and 1
	// leaves three together, taking 1 and 2 would leave a single one at the
	// end.
	s := newSaleIn(t, plan(1, 5), nil)
	booking := must(newBuyer(t).Hold(t.Context(), s.best("front", 2), ""))(t)
	left := s.awaitStates(t, "1", "with two held", func(states string) bool { return strings.Count(states, "h") == 2 })
	for i := range left {
		alone := left[i] == 'a' && (i == 0 || left[i-1] != 'a') && (i == len(left)-1 || left[i+1] != 'a')
		if alone {
			t.Errorf("%v leaves %q", booking.SeatIDs(), left)
		}
	}
}

func TestBestAvailableRefusesMoreSeatsThanAreFree(t *testing.T) {
	s := newSaleIn(t, plan(1, 3), nil)
	_, err := newBuyer(t).Hold(t.Context(), s.best("front", 4), "")
	wantCode(t, err, 409, "not_enough_seats")
	if got := s.states(t, "1"); got != "aaa" {
		t.Errorf("the refused request left %q", got)
	}
}

func TestStandingAreaSellsEachUnitOnce(t *testing.T) {
	s := newSale(t, nil) // 20 units
	seen := map[string]bool{}
	for range 5 {
		booking := must(newBuyer(t).Hold(t.Context(), s.best("floor", 4), ""))(t)
		for _, id := range booking.SeatIDs() {
			if seen[id] {
				t.Errorf("unit %s is sold twice", id)
			}
			seen[id] = true
		}
	}
	s.awaitStates(t, "3", "all held", beginning(strings.Repeat("h", 20)))
	_, err := newBuyer(t).Hold(t.Context(), s.best("floor", 1), "")
	wantCode(t, err, 409, "not_enough_seats")
}

func TestBuyerLimitCountsAllTheirBookings(t *testing.T) {
	s := newSale(t, func(e *client.NewEvent) { e.MaxSeatsPerBuyer = 4 })
	buyer := newBuyer(t)
	first := must(buyer.Hold(t.Context(), s.seats("1-0", "1-1"), ""))(t)
	must(buyer.Hold(t.Context(), s.best("floor", 1), ""))(t)
	_, err := buyer.Hold(t.Context(), s.seats("2-0", "2-1"), "")
	if p := problemWith(t, err, 409, "buyer_limit_reached"); p.Limit != 4 || p.Held != 3 {
		t.Errorf("limit %d, held %d; want 4, 3", p.Limit, p.Held)
	}
	must(buyer.CancelBooking(t.Context(), first.ID))(t)
	must(buyer.Hold(t.Context(), s.seats("2-0", "2-1"), ""))(t)
}

func TestHoldIsAllOrNothingAcrossBlocks(t *testing.T) {
	s := newSale(t, nil)
	must(newBuyer(t).Hold(t.Context(), s.seats("2-3"), ""))(t)
	_, err := newBuyer(t).Hold(t.Context(), s.seats("1-3", "2-3", "3-3"), "")
	if p := problemWith(t, err, 409, "seats_taken"); !slices.Equal(p.Seats, []string{"2-3"}) {
		t.Errorf("seats taken: %v", p.Seats)
	}
	must(newBuyer(t).Hold(t.Context(), s.seats("1-3", "3-3"), ""))(t)
}

func TestBlockedSeatsAndThoseWithoutAPriceAreNotSold(t *testing.T) {
	v := plan(1, 4)
	v.Sections[0].Rows[0].Seats[1].Blocked = true
	s := newSaleIn(t, v, func(e *client.NewEvent) { e.TicketTypes = e.TicketTypes[:1] })
	if got := s.states(t, "1"); got != "axaa" {
		t.Errorf("front: %q", got)
	}
	if got := s.states(t, "2"); got != strings.Repeat("x", 10) {
		t.Errorf("rear: %q", got)
	}
	for _, id := range []string{"1-1", "2-0"} {
		_, err := newBuyer(t).Hold(t.Context(), s.seats(id), "")
		if !client.IsCode(err, "seats_taken") && !client.IsCode(err, "unknown_seats") {
			t.Errorf("seat %s: %v", id, err)
		}
	}
}

func TestExpiredHoldFreesItsSeats(t *testing.T) {
	s := newSale(t, func(e *client.NewEvent) { e.HoldSeconds = 5 })
	first := newBuyer(t)
	booking := must(first.Hold(t.Context(), s.seats("1-0"), ""))(t)
	ended := awaitBooking(t, first, booking.ID, "expired")
	if ended.Reason != "expired" || ended.EndedAt.IsZero() {
		t.Fatalf("ended: %+v", ended)
	}
	if late := ended.EndedAt.Sub(booking.ExpiresAt).Seconds(); late > 5 {
		t.Errorf("the hold ended %.1f s after its deadline, want at most 5", late)
	}
	buy(t, newBuyer(t), s.seats("1-0"))
	_, err := first.Pay(t.Context(), booking.ID, "pm_ok", "")
	if p := problemWith(t, err, 409, "booking_not_payable"); p.BookingStatus == "" {
		t.Error("the answer does not say booking_status")
	}
	checkLedger(t, s, frontPrice)
}

func TestSeatsHaveAnETagThatFollowsTheirState(t *testing.T) {
	s := newSale(t, nil)
	read := func(tag string) client.Response {
		r := client.Request{Method: http.MethodGet, Path: "/events/" + s.event.ID + "/seats"}
		if tag != "" {
			r.Header = http.Header{"If-None-Match": {tag}}
		}
		return must(visitor().Do(t.Context(), r))(t)
	}
	tag := read("").Header.Get("ETag")
	if tag == "" {
		t.Fatal("there is no ETag")
	}
	// Each replica has its own state; one of them knows the tag.
	testkit.Eventually(t, "unchanged seats are 304", func() bool { return read(tag).Status == http.StatusNotModified })
	must(newBuyer(t).Hold(t.Context(), s.seats("1-0"), ""))(t)
	testkit.Eventually(t, "changed seats are 200", func() bool { return read(tag).Status == http.StatusOK })
}
