package booking_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// allBut returns the seats of the stalls, or of the floor, except for some.
func allBut(from, to uint32, but ...uint32) (seats []uint32) {
	for n := from; n < to; n++ {
		if !slices.Contains(but, n) {
			seats = append(seats, n)
		}
	}
	return seats
}

func TestBestSeatsInAlmostFullHall(t *testing.T) {
	for name, c := range map[string]struct {
		blocked    []int // positions in the first row
		taken      []uint32
		ticketType string
		n          uint32
		want       []uint32 // nil if there are not enough seats
	}{
		"an orphan rather than nothing":           {nil, allBut(0, 20, 3, 4, 5), "stalls", 2, []uint32{4, 5}},
		"one seat at the end of three":            {nil, allBut(0, 20, 3, 4, 5), "stalls", 1, []uint32{5}},
		"a later row without an orphan":           {nil, allBut(0, 20, 3, 4, 5, 10, 11, 12, 13), "stalls", 2, []uint32{12, 13}},
		"no neighbours across a taken seat":       {nil, allBut(0, 20, 3, 5, 10, 12), "stalls", 2, nil},
		"no neighbours across rows":               {nil, allBut(0, 20, 9, 10), "stalls", 2, nil},
		"the last seat":                           {nil, allBut(0, 20, 19), "stalls", 1, []uint32{19}},
		"none when the house is full":             {nil, allBut(0, 20), "stalls", 1, nil},
		"no blocked seat":                         {[]int{4, 5}, nil, "stalls", 2, []uint32{2, 3}},
		"more than a row":                         {nil, nil, "stalls", 11, nil},
		"standing units in order":                 {nil, nil, "floor", 3, []uint32{20, 21, 22}},
		"standing units need not be neighbours":   {nil, allBut(20, 26, 20, 23, 25), "floor", 3, []uint32{20, 23, 25}},
		"no more standing units than are free":    {nil, allBut(20, 26, 20, 23, 25), "floor", 4, nil},
		"standing units when the stalls are full": {nil, allBut(0, 20), "floor", 6, allBut(20, 26)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, together := range []bool{true, false} {
				s := newSale(t, func(e *events.EventChanged) { e.MaxSeatsPerBuyer, e.Blocks[0].Rows[0].Blocked = 50, c.blocked })
				var commands []*logpb.Command
				if len(c.taken) > 0 {
					commands = append(commands, s.ask(uuid.New(), c.taken...))
				}
				if !together {
					s.do(commands...)
					commands = nil
				}
				answers := s.do(append(commands, s.best(uuid.New(), c.ticketType, c.n))...)
				a := answers[len(answers)-1]
				if diff := cmp.Diff(c.want, a.GetBooking().GetSeats()); diff != "" {
					t.Errorf("together %t: %s", together, diff)
				}
				if c.want == nil {
					wantRefusal(t, a, booking.NotEnoughSeats)
				}
			}
		})
	}
}

func TestBestSeatsLeaveALargeBlockForTheNext(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) { e.Blocks = append(e.Blocks, e.Blocks[0]) })
	s.do(s.ask(uuid.New(), 0, 1, 2, 3, 4), s.ask(uuid.New(), 5, 6, 7, 8, 9), s.ask(uuid.New(), 10, 11, 12, 13, 14), s.ask(uuid.New(), 15, 16, 17, 18))
	a := s.do(s.best(uuid.New(), "stalls", 2))[0]
	if diff := cmp.Diff([]uint32{30, 31}, a.GetBooking().GetSeats()); diff != "" {
		t.Error(diff)
	}
}

func TestBestSeatsSellTheWholeHall(t *testing.T) {
	s := newSale(t, nil)
	owned := map[uint32]bool{}
	for range 10 { // four in each round
		for _, a := range s.do(s.best(uuid.New(), "stalls", 2), s.best(uuid.New(), "floor", 1), s.best(uuid.New(), "stalls", 2), s.best(uuid.New(), "floor", 1)) {
			for _, n := range a.GetBooking().GetSeats() {
				if owned[n] {
					t.Errorf("seat %d was given away twice", n)
				}
				owned[n] = true
			}
		}
	}
	if len(owned) != 26 || s.Oversold != 0 {
		t.Errorf("%d of 26 seats were sold, %d twice", len(owned), s.Oversold)
	}
}

func TestBestSeatsComeBackAfterTheirDeadline(t *testing.T) {
	s := newSale(t, nil)
	user := uuid.New()
	s.do(s.best(user, "floor", 6))
	wantRefusal(t, s.do(s.best(uuid.New(), "floor", 1))[0], booking.NotEnoughSeats)
	s.now = s.now.Add(10 * time.Minute)
	s.do(&logpb.Command{Kind: &logpb.Command_Expire{Expire: &logpb.Expire{}}})
	wantRefusal(t, s.do(s.best(user, "floor", 6))[0], "")
}
