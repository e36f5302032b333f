package e2e

import (
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// The gateway of this test does not keep a block's requests on one replica, so
// all three booking replicas compete for the same rows.
func TestTwentyBuyersOneWinnerAHundredTimes(t *testing.T) {
	const buyers, rounds, seatsEach = 20, 100, 4
	address := must(running.Address("api-gateway-spread"))(t)
	s := newSaleIn(t, plan(4, 100), func(e *client.NewEvent) { e.MaxSeatsPerBuyer = 50 })
	crowd := newBuyers(t, buyers)
	wins := make([]int, buyers)
	for round := range rounds {
		block, first := strconv.Itoa(1+round/75), (round%75)*seatsEach // 300 seats a block
		var seats []string
		for i := range seatsEach {
			seats = append(seats, block+"-"+strconv.Itoa(first+i))
		}
		bookings, errs := make([]client.Booking, buyers), make([]error, buyers)
		var start, done sync.WaitGroup
		start.Add(1)
		for i, buyer := range crowd {
			done.Go(func() {
				c := buyer.At("http://" + address + "/api/v1")
				start.Wait()
				bookings[i], errs[i] = c.Hold(t.Context(), s.seats(seats...), "")
			})
		}
		start.Done()
		done.Wait()
		winner := checkOneWinner(t, round, seats, bookings, errs)
		wins[winner]++
		// This test is not about the seat limit.
		must(crowd[winner].CancelBooking(t.Context(), bookings[winner].ID))(t)
	}
	t.Logf("rounds won by each buyer: %v", wins)
	checkLedger(t, s, 0)
}

// checkOneWinner returns the winner's number.
func checkOneWinner(t *testing.T, round int, seats []string, bookings []client.Booking, errs []error) int {
	t.Helper()
	winner := -1
	for i, err := range errs {
		if err == nil {
			if winner >= 0 {
				t.Fatalf("round %d: %v and %v both have seats %v", round, bookings[winner].ID, bookings[i].ID, seats)
			}
			winner = i
			continue
		}
		p := problemWith(t, err, 409, "seats_taken")
		if len(p.Seats) == 0 || slices.ContainsFunc(p.Seats, func(id string) bool { return !slices.Contains(seats, id) }) {
			t.Fatalf("round %d: a loser is told of seats %v, of %v", round, p.Seats, seats)
		}
	}
	if winner < 0 {
		t.Fatalf("round %d: nobody won", round)
	}
	if got := bookings[winner].SeatIDs(); len(got) != len(seats) {
		t.Fatalf("round %d: the winner has %v, asked for %v", round, got, seats)
	}
	return winner
}
