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

func TestSalesCountConfirmedBookingsByTicketType(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) { e.Blocks[0].Rows[0].Blocked = []int{9} })
	want := func(stalls, floor booking.SeatCounts, stallsRevenue, floorRevenue int64) {
		t.Helper()
		got := s.Sales()
		types := []booking.TicketTypeSales{
			{ID: "stalls", Name: "Stalls", Seats: stalls, Revenue: stallsRevenue}, {ID: "floor", Name: "Floor", Seats: floor, Revenue: floorRevenue},
		}
		if diff := cmp.Diff(types, got.TicketTypes); diff != "" || got.Revenue != stallsRevenue+floorRevenue {
			t.Errorf("revenue %d\n%s", got.Revenue, diff)
		}
	}
	want(booking.SeatCounts{Available: 19, Blocked: 1}, booking.SeatCounts{Available: 6}, 0, 0)
	own, gone := s.buy(0, 20, 21), s.buy(1)
	s.hold(2, 3)
	declined := s.hold(4)
	s.do(s.cancel(gone), payment(declined, uuid.New(), logpb.Payment_FAILED))
	want(booking.SeatCounts{Available: 15, Held: 3, Sold: 1, Blocked: 1}, booking.SeatCounts{Available: 4, Sold: 2}, 5000, 5000)
	// Sold seats keep their price.
	s.def.Version, s.def.TicketTypes[0].Price = 2, 7000
	s.define()
	s.buy(5)
	want(booking.SeatCounts{Available: 14, Held: 3, Sold: 2, Blocked: 1}, booking.SeatCounts{Available: 4, Sold: 2}, 12000, 5000)
	s.do(s.cancel(own))
	want(booking.SeatCounts{Available: 15, Held: 3, Sold: 1, Blocked: 1}, booking.SeatCounts{Available: 6}, 7000, 0)
}

func TestSalesUseSmallestBucketWithinLimit(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	for name, c := range map[string]struct {
		after  []time.Duration
		size   time.Duration
		starts []time.Duration
		seats  []int
	}{
		"nothing sold":                      {nil, 10 * s, nil, nil},
		"one sale":                          {[]time.Duration{17 * s}, 10 * s, []time.Duration{10 * s}, []int{1}},
		"together in one, later in another": {[]time.Duration{9 * s, 0, 30 * s}, 10 * s, []time.Duration{0, 30 * s}, []int{2, 1}},
		"120 of 10 s":                       {[]time.Duration{9 * s, 1199 * s}, 10 * s, []time.Duration{0, 1190 * s}, []int{1, 1}},
		"121 of 10 s":                       {[]time.Duration{9 * s, 1200 * s}, m, []time.Duration{0, 20 * m}, []int{1, 1}},
		"merged into minutes":               {[]time.Duration{0, 59 * s, 60 * s, 119 * m}, m, []time.Duration{0, m, 119 * m}, []int{2, 1, 1}},
		"two hours":                         {[]time.Duration{0, 2 * h}, 5 * m, []time.Duration{0, 2 * h}, []int{1, 1}},
		"a day":                             {[]time.Duration{0, 24 * h}, 15 * m, []time.Duration{0, 24 * h}, []int{1, 1}},
		"four days":                         {[]time.Duration{0, 96 * h}, h, []time.Duration{0, 96 * h}, []int{1, 1}},
		"three weeks":                       {[]time.Duration{h, 504 * h}, 6 * h, []time.Duration{0, 504 * h}, []int{1, 1}},
		"two months":                        {[]time.Duration{h, 1500 * h}, 24 * h, []time.Duration{0, 1488 * h}, []int{1, 1}},
		"a year":                            {[]time.Duration{h, 8760 * h}, 24 * h, []time.Duration{0, 8760 * h}, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			origin := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
			sale := newSale(t, func(e *events.EventChanged) {
				e.SaleStartsAt, e.SaleEndsAt = origin, origin.AddDate(2, 0, 0)
				e.StartsAt, e.EndsAt = e.SaleEndsAt, e.SaleEndsAt.Add(h)
			})
			for i, after := range c.after {
				sale.now = origin.Add(after)
				sale.buy(uint32(i))
			}
			want := booking.SalesOverTime{Bucket: c.size, Buckets: []booking.SalesBucket{}}
			for i, start := range c.starts {
				want.Buckets = append(want.Buckets, booking.SalesBucket{StartsAt: origin.Add(start), Sold: c.seats[i], Revenue: int64(c.seats[i]) * 5000})
			}
			if diff := cmp.Diff(want, sale.Sales().OverTime); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAttendeesComeInPages(t *testing.T) {
	s := newSale(t, nil)
	own := s.buy(0, 1, 20)
	s.buy(3, 25)
	s.hold(4)
	s.do(s.cancel(s.buy(5)))
	s.do(s.scan(own, 1))
	s.do(s.scan(own, 1))
	in := s.now
	s.now = s.now.Add(time.Minute)
	all, next := s.Attendees(0, 100)
	if len(all) != 5 || next != -1 {
		t.Fatalf("%d attendees, next %d", len(all), next)
	}
	for _, a := range all {
		if a.Holder != "ada@example.com" || a.Ticket != booking.TicketID(a.Booking, a.Seat.ID) {
			t.Errorf("%+v", a)
		}
		if scanned := a.Seat.ID.String() == "1-1"; (a.CheckedInAt != nil) != scanned || scanned && !a.CheckedInAt.Equal(in) {
			t.Errorf("checked in at %v: %+v", a.CheckedInAt, a)
		}
	}
	for limit := 1; limit <= 6; limit++ {
		var got []booking.Attendee
		for from := 0; from >= 0; {
			var page []booking.Attendee
			if page, from = s.Attendees(from, limit); len(page) > limit || len(page) == 0 {
				t.Fatalf("a page of %d has %d", limit, len(page))
			}
			got = append(got, page...)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("pages of %d: %s", limit, diff)
		}
	}
}

func TestBookingsOfBuyerAreOrderedByCreation(t *testing.T) {
	s := newSale(t, nil)
	user := uuid.New()
	var want, got []uint64
	for n := range uint32(3) {
		s.now = s.now.Add(time.Second)
		want = append(want, s.do(s.ask(user, n))[0].GetBooking().GetId())
	}
	s.do(s.cancel(want[1]))
	for _, b := range s.BookingsOf(user) {
		got = append(got, b.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(s.BookingsOf(uuid.New())) != 0 {
		t.Error(diff)
	}
}

func TestChangedSinceFindsBookingsByTheEntryThatChangedThem(t *testing.T) {
	s := newSale(t, nil)
	seq := s.Seq
	changed := func() (own []uint64) {
		for _, b := range s.ChangedSince(seq) {
			own = append(own, b.ID)
		}
		slices.Sort(own)
		seq = s.Seq
		return own
	}
	first := s.hold(0)
	if diff := cmp.Diff([]uint64{first}, changed()); diff != "" {
		t.Error(diff)
	}
	second := s.hold(1)
	s.do(payment(first, uuid.New(), logpb.Payment_CONFIRMED), payment(second, uuid.New(), logpb.Payment_FAILED), payment(77, uuid.New(), logpb.Payment_CONFIRMED))
	if diff := cmp.Diff([]uint64{min(first, second), max(first, second)}, changed()); diff != "" {
		t.Error(diff)
	}
	s.do(s.cancel(second))
	s.def.Version, s.def.Status = 2, events.StatusCancelled
	s.define()
	if diff := cmp.Diff([]uint64{min(first, second), max(first, second)}, changed()); diff != "" {
		t.Error(diff)
	}
	if left := changed(); left != nil {
		t.Error(left)
	}
}

func TestChangedSeatsAreThoseOfTheLastEntry(t *testing.T) {
	s := newSale(t, nil)
	own := s.hold(3, 4)
	want := []booking.SeatChange{{Position: 3, State: booking.HeldSeat}, {Position: 4, State: booking.HeldSeat}}
	if diff := cmp.Diff(want, s.Changed); diff != "" {
		t.Error(diff)
	}
	s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))
	want = []booking.SeatChange{{Position: 3, State: booking.Sold}, {Position: 4, State: booking.Sold}}
	if diff := cmp.Diff(want, s.Changed); diff != "" {
		t.Error(diff)
	}
}
