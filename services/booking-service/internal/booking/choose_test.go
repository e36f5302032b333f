package booking_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func TestBestSeatsAreNeighboursAndLeaveNoOrphan(t *testing.T) {
	for name, c := range map[string]struct {
		taken []int // in block 1, rows of 0-9 and 10-19
		n     int
		want  []int
	}{
		"middle of the first row":            {nil, 2, []int{4, 5}},
		"an odd number":                      {nil, 3, []int{3, 4, 5}},
		"next to those taken, not one apart": {[]int{4, 5}, 2, []int{2, 3}},
		"a gap that fits":                    {[]int{0, 1, 4, 5, 6, 7, 8, 9}, 2, []int{2, 3}},
		"the next row rather than an orphan": {[]int{0, 1, 2, 6, 7, 8, 9}, 2, []int{14, 15}},
		"the whole row":                      {[]int{5}, 10, []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, func(e *events.EventChanged) { e.MaxSeatsPerBuyer = 20 })
			if len(c.taken) > 0 {
				var seats []booking.SeatID
				for _, i := range c.taken {
					seats = append(seats, at(1, i))
				}
				w.hold(t, seats...)
			}
			b, _, err := w.replicas[0].Hold(t.Context(), booking.HoldRequest{
				User: uuid.Must(uuid.NewV7()), Event: w.def.EventID, TicketType: "stalls", Quantity: c.n,
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, s := range b.Seats {
				got = append(got, s.ID.Index)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBestSeatsSellTheHouseToManyAtOnce(t *testing.T) {
	w := newWorld(t, 3, nil)
	var group sync.WaitGroup
	var mu sync.Mutex
	sold := 0
	for i := range 40 {
		group.Go(func() {
			b, _, err := w.replicas[i%3].Hold(t.Context(), booking.HoldRequest{
				User: uuid.Must(uuid.NewV7()), Event: w.def.EventID, TicketType: "stalls", Quantity: 2,
			})
			var r *booking.Refusal
			if err != nil && !errors.As(err, &r) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sold += len(b.Seats)
		})
	}
	group.Wait()
	if n := len(w.owners(t)); n != sold || sold < 30 {
		t.Errorf("%d seats promised, %d owned", sold, n)
	}
}
