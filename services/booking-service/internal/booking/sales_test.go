package booking_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

// halls has two ticket types: stalls for 50, boxes for 90.
func halls(t *testing.T) *booking.Event {
	t.Helper()
	def := bookingtest.Definition(1)
	def.TicketTypes = append(def.TicketTypes, events.TicketType{ID: "boxes", Name: "Boxes", Category: "B", Price: 9000})
	e, err := booking.NewEvent(def)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// sold is a booking confirmed so long after 2027-01-01 with seats of these types.
func sold(status booking.Status, after time.Duration, types ...string) booking.Booking {
	at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Add(after)
	b := booking.Booking{Status: status, ConfirmedAt: &at, Total: events.Money{Currency: "EUR"}}
	for _, id := range types {
		price := map[string]int64{"stalls": 5000, "boxes": 9000}[id]
		b.Seats = append(b.Seats, booking.BookedSeat{TicketTypeID: id, Price: price})
		b.Total.Amount += price
	}
	return b
}

func TestTallyCountsConfirmedBookingsByTicketType(t *testing.T) {
	tests := []struct {
		name     string
		bookings []booking.Booking
		revenue  int64
		byType   [2]int64
	}{
		{"nothing", nil, 0, [2]int64{}},
		{"a booking of two types", []booking.Booking{sold(booking.Confirmed, 0, "stalls", "boxes", "boxes")}, 23000, [2]int64{5000, 18000}},
		{"what is held or has ended does not count", []booking.Booking{
			sold(booking.Held, 0, "boxes"), sold(booking.Cancelled, 0, "boxes"), sold(booking.Expired, 0, "boxes"),
			sold(booking.PaymentFailed, 0, "boxes"), sold(booking.Refused, 0, "boxes"), sold(booking.Confirmed, 0, "stalls"),
		}, 5000, [2]int64{5000, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tally := booking.NewTally(halls(t))
			for i := range tt.bookings {
				tally.Add(&tt.bookings[i])
			}
			asOf, seats := time.Now(), []booking.SeatCounts{{Available: 1, Sold: 2}, {Held: 3, Blocked: 4}}
			got := tally.Sales(asOf, booking.SeatCounts{Available: 9}, seats)
			want := []booking.TicketTypeSales{
				{ID: "stalls", Name: "Stalls", Seats: seats[0], Revenue: tt.byType[0]}, {ID: "boxes", Name: "Boxes", Seats: seats[1], Revenue: tt.byType[1]},
			}
			if diff := cmp.Diff(want, got.TicketTypes); diff != "" || got.Revenue != tt.revenue || got.AsOf != asOf || got.Seats.Available != 9 {
				t.Errorf("%+v\n%s", got, diff)
			}
		})
	}
}

func TestBucketsAreTheSmallestOfWhichThereAreFewEnough(t *testing.T) {
	tests := []struct {
		name  string
		after []time.Duration
		size  time.Duration
		// starts are after 2027-01-01, with how many seats.
		starts []time.Duration
		seats  []int
	}{
		{"nothing sold", nil, 10 * time.Second, nil, nil},
		{"one sale", []time.Duration{17 * time.Second}, 10 * time.Second, []time.Duration{10 * time.Second}, []int{1}},
		{
			"together in one, later in another",
			[]time.Duration{9 * time.Second, 0, 30 * time.Second},
			10 * time.Second,
			[]time.Duration{0, 30 * time.Second},
			[]int{2, 1},
		},
		{"120 of 10 s", []time.Duration{9 * time.Second, 1199 * time.Second}, 10 * time.Second, []time.Duration{0, 1190 * time.Second}, []int{1, 1}},
		{"121 of 10 s", []time.Duration{9 * time.Second, 1200 * time.Second}, time.Minute, []time.Duration{0, 20 * time.Minute}, []int{1, 1}},
		{
			"merged into minutes",
			[]time.Duration{0, 59 * time.Second, 60 * time.Second, 119 * time.Minute},
			time.Minute,
			[]time.Duration{0, time.Minute, 119 * time.Minute},
			[]int{2, 1, 1},
		},
		{"two hours", []time.Duration{0, 2 * time.Hour}, 5 * time.Minute, []time.Duration{0, 2 * time.Hour}, []int{1, 1}},
		{"a day", []time.Duration{0, 24 * time.Hour}, 15 * time.Minute, []time.Duration{0, 24 * time.Hour}, []int{1, 1}},
		{"four days", []time.Duration{0, 96 * time.Hour}, time.Hour, []time.Duration{0, 96 * time.Hour}, []int{1, 1}},
		{"three weeks", []time.Duration{time.Hour, 504 * time.Hour}, 6 * time.Hour, []time.Duration{0, 504 * time.Hour}, []int{1, 1}},
		{"two months", []time.Duration{time.Hour, 1500 * time.Hour}, 24 * time.Hour, []time.Duration{0, 1488 * time.Hour}, []int{1, 1}},
		{"a year", []time.Duration{time.Hour, 8760 * time.Hour}, 24 * time.Hour, []time.Duration{0, 8760 * time.Hour}, []int{1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tally := booking.NewTally(halls(t))
			for _, after := range tt.after {
				b := sold(booking.Confirmed, after, "stalls")
				tally.Add(&b)
			}
			want := booking.SalesOverTime{Bucket: tt.size, Buckets: []booking.SalesBucket{}}
			for i, start := range tt.starts {
				at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Add(start)
				want.Buckets = append(want.Buckets, booking.SalesBucket{StartsAt: at, Sold: tt.seats[i], Revenue: int64(tt.seats[i]) * 5000})
			}
			got := tally.Sales(time.Now(), booking.SeatCounts{}, make([]booking.SeatCounts, 2)).OverTime
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSalesAreCountedAgainAfterSomeSeconds(t *testing.T) {
	w := newWorld(t, 1, func(e *events.EventChanged) { e.Blocks[0].Rows[0].Blocked = []int{9} })
	service := w.replicas[0]
	e, err := service.Event(t.Context(), w.def.EventID)
	if err != nil {
		t.Fatal(err)
	}
	want := func(sold, held int, revenue int64) {
		t.Helper()
		got, err := service.Sales(t.Context(), e)
		counts := booking.SeatCounts{Available: 39 - sold - held, Held: held, Sold: sold, Blocked: 1}
		if err != nil || got.Seats != counts || got.TicketTypes[0].Seats != counts || got.Revenue != revenue || got.TicketTypes[0].Revenue != revenue {
			t.Errorf("got %+v %v, want %+v and %d", got, err, counts, revenue)
		}
	}
	want(0, 0, 0)
	b := w.hold(t, at(1, 0), at(2, 0))
	if err := service.PaymentConfirmed(t.Context(), w.paid(b)); err != nil {
		t.Fatal(err)
	}
	w.hold(t, at(1, 1))
	want(0, 0, 0) // counted a moment ago
	w.clock.Advance(5 * time.Second)
	want(2, 1, 10000)
	if got, err := service.Sales(t.Context(), e); err != nil || !got.AsOf.Equal(w.clock.Now().Truncate(time.Millisecond)) || len(got.OverTime.Buckets) != 1 {
		t.Errorf("%+v %v", got, err)
	}

	// Long after its end the event is in memory no more; its figures stay.
	w.clock.Advance(100 * 24 * time.Hour)
	if err := service.SyncEvents(t.Context()); err != nil || w.pictures[0].Sale(e.ID()) != nil {
		t.Fatalf("the event was not forgotten: %v", err)
	}
	if e, err = service.Event(t.Context(), w.def.EventID); err != nil || e == nil {
		t.Fatal("the event is gone", err)
	}
	want(2, 1, 10000)
	if none, err := service.Event(t.Context(), b.ID); err != nil || none != nil {
		t.Errorf("an event that does not exist: %v %v", none, err)
	}
}
