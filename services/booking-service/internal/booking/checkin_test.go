package booking_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// buy confirms a booking of seats and returns it.
func (w *world) buy(t *testing.T, seats ...booking.SeatID) booking.Booking {
	t.Helper()
	ask := w.ask(seats...)
	ask.Holder = "ada@example.com"
	b, _, err := w.replicas[0].Hold(t.Context(), ask)
	if err == nil {
		err = w.replicas[0].PaymentConfirmed(t.Context(), w.paid(b))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// scanOf is a new scan of the ticket for a booking's seat.
func scanOf(b booking.Booking, seat booking.SeatID) booking.ScanRequest {
	return booking.ScanRequest{
		ID: uuid.Must(uuid.NewV7()), CodeHash: []byte(b.ID.String() + seat.String()), Scanner: uuid.Must(uuid.NewV7()),
		Ticket: &booking.Ticket{ID: booking.TicketID(b.ID, seat), Booking: b.ID, Event: b.Home.Event, Seat: seat},
	}
}

// scan sends a scan to a replica and returns what it came to.
func (w *world) scan(t *testing.T, replica int, req booking.ScanRequest) (booking.Scan, bool) {
	t.Helper()
	scan, replayed, err := w.checkIn(t.Context(), replica, req)
	if err != nil {
		t.Fatal(err)
	}
	return scan, replayed
}

func (w *world) checkIn(ctx context.Context, replica int, req booking.ScanRequest) (booking.Scan, bool, error) {
	e, err := w.replicas[replica].Event(ctx, w.def.EventID)
	if err != nil {
		return booking.Scan{}, false, err
	}
	return w.replicas[replica].CheckIn(ctx, e, req)
}

func TestScansComeToWhatTheTicketIsWorth(t *testing.T) {
	w := newWorld(t, 1, nil)
	other := newWorld(t, 1, nil)
	b := w.buy(t, at(1, 0), at(2, 3))
	cancelled, resold := w.buy(t, at(1, 5)), w.buy(t, at(1, 6))
	for _, gone := range []booking.Booking{cancelled, resold} {
		if _, err := w.replicas[0].Cancel(t.Context(), gone.UserID, gone.ID); err != nil {
			t.Fatal(err)
		}
	}
	second := w.buy(t, at(1, 6))
	held := w.hold(t, at(1, 7))
	forged := scanOf(b, at(1, 0))
	forged.Ticket = nil
	tests := []struct {
		name   string
		scan   booking.ScanRequest
		want   booking.ScanResult
		holder string
		number string
	}{
		{"a ticket", scanOf(b, at(1, 0)), booking.Admitted, "ada@example.com", "1"},
		{"the same ticket", scanOf(b, at(1, 0)), booking.AlreadyUsed, "ada@example.com", "1"},
		{"another ticket of the booking, in another block", scanOf(b, at(2, 3)), booking.Admitted, "ada@example.com", "4"},
		{"no code of ours", forged, booking.Forged, "", ""},
		{"a ticket of another event", scanOf(other.buy(t, at(1, 0)), at(1, 0)), booking.WrongEvent, "", ""},
		{"a cancelled booking's", scanOf(cancelled, at(1, 5)), booking.NotValid, "", "6"},
		{"a cancelled booking's whose seat was sold again", scanOf(resold, at(1, 6)), booking.NotValid, "", "7"},
		{"that of who bought it then", scanOf(second, at(1, 6)), booking.Admitted, "ada@example.com", "7"},
		{"a hold's, which has no tickets yet", scanOf(held, at(1, 7)), booking.NotValid, "", "8"},
		{"a seat that is not the booking's", scanOf(b, at(1, 9)), booking.NotValid, "", "10"},
		{"a seat the event does not have", scanOf(b, at(9, 0)), booking.NotValid, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := counted(t, tt.want)
			got, replayed := w.scan(t, 0, tt.scan)
			if got.Result != tt.want || replayed || got.Holder != tt.holder || got.ID != tt.scan.ID || got.Event != w.def.EventID || got.Scanner != tt.scan.Scanner {
				t.Errorf("got %+v", got)
			}
			if (got.Seat == nil) != (tt.number == "") || got.Seat != nil && (got.Seat.Number != tt.number || got.Seat.Section != "Stalls" || got.Seat.TicketTypeName != "Stalls") {
				t.Errorf("seat %+v, want number %q", got.Seat, tt.number)
			}
			if (got.Ticket == uuid.Nil) != (tt.want == booking.Forged) || (got.AdmittedAt == nil) != (tt.want != booking.AlreadyUsed) {
				t.Errorf("ticket %s, admitted at %v", got.Ticket, got.AdmittedAt)
			}
			w.clock.Advance(time.Second)
			again, replayed := w.scan(t, 0, tt.scan)
			if diff := cmp.Diff(got, again); diff != "" || !replayed {
				t.Errorf("sent again: replayed %t\n%s", replayed, diff)
			}
			changed := tt.scan
			changed.CodeHash = []byte("another code")
			_, _, err := w.checkIn(t.Context(), 0, changed)
			_ = wantRefusal(t, err, booking.ScanReused)
			if n := counted(t, tt.want) - before; n != 1 {
				t.Errorf("%v scans were counted, want 1", n)
			}
		})
	}
	log, err := w.replicas[0].Scans(t.Context(), w.def.EventID, uuid.Max, 100)
	if err != nil || len(log) != len(tests) {
		t.Errorf("%d lines in the log of %d scans, %v", len(log), len(tests), err)
	}
}

func TestWhoWentInGetsNoMoneyBack(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := w.buy(t, at(1, 0), at(2, 3))
	w.scan(t, 0, scanOf(b, at(2, 3)))
	_, err := w.replicas[0].Cancel(t.Context(), b.UserID, b.ID)
	if r := (*booking.Refusal)(nil); !errors.As(err, &r) || r.Reason != booking.NotCancellable {
		t.Errorf("cancelled after a check-in: %v", err)
	}
	// Scanned while it was cancelled: to cancel it again still answers the same.
	raced := w.buy(t, at(1, 5))
	if _, err := w.replicas[0].Cancel(t.Context(), raced.UserID, raced.ID); err != nil {
		t.Fatal(err)
	}
	late := booking.CheckIn{Ticket: booking.TicketID(raced.ID, at(1, 5)), Scan: uuid.Must(uuid.NewV7()), At: w.clock.Now()}
	if _, err := w.store.Admit(t.Context(), raced.Home, late); err != nil {
		t.Fatal(err)
	}
	if again, err := w.replicas[0].Cancel(t.Context(), raced.UserID, raced.ID); err != nil || again.Status != booking.Cancelled {
		t.Errorf("cancelled again: %s, %v", again.Status, err)
	}
}

func counted(t *testing.T, result booking.ScanResult) float64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "check_ins_total" && m.GetLabel()[0].GetValue() == string(result) {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("check_ins_total of %s is not exported", result)
	return 0
}

func TestReplicaThatIsBehindLetsTheHolderIn(t *testing.T) {
	w := newWorld(t, 2, nil) // without a feed the second has heard of no booking
	b := w.buy(t, at(1, 0))
	if got, _ := w.scan(t, 1, scanOf(b, at(1, 0))); got.Result != booking.Admitted {
		t.Errorf("got %+v", got)
	}
	b = w.buy(t, at(1, 1))
	if _, err := w.replicas[1].Cancel(t.Context(), b.UserID, b.ID); err != nil {
		t.Fatal(err)
	}
	// Now the first believes that the seat is still the booking's.
	if got, _ := w.scan(t, 0, scanOf(b, at(1, 1))); got.Result != booking.NotValid {
		t.Errorf("after the cancellation: %+v", got)
	}
	people, _, err := w.replicas[0].Attendees(t.Context(), mustEvent(t, w), nil, 10)
	if err != nil || len(people) != 1 || people[0].Seat.ID != at(1, 0) {
		t.Errorf("attendees %+v %v", people, err)
	}
}

func TestOfTwentyDoorsOneLetsTheHolderIn(t *testing.T) {
	w := newWorld(t, 3, nil)
	for round := range 20 {
		b := w.buy(t, at(1, round))
		results := make([]booking.ScanResult, 20)
		var group sync.WaitGroup
		for i := range results {
			group.Go(func() {
				scan, _, err := w.checkIn(t.Context(), i%3, scanOf(b, at(1, round)))
				if err != nil {
					t.Error(err)
				}
				results[i] = scan.Result
			})
		}
		group.Wait()
		count := map[booking.ScanResult]int{}
		for _, r := range results {
			count[r]++
		}
		if count[booking.Admitted] != 1 || count[booking.AlreadyUsed] != 19 {
			t.Fatalf("round %d: %v", round, count)
		}
	}
}

func TestSameScanFindsOutWhatBecameOfIt(t *testing.T) {
	timeout := errors.New("timed out")
	for name, lose := range map[string]func(*world){
		"the answer of the check-in is lost": func(w *world) { w.store.Lose(errors.Join(booking.ErrUnknown, timeout), nil) },
		"the log is not written":             func(w *world) { w.store.Lose(nil, timeout) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 2, nil)
			b := w.buy(t, at(1, 0))
			req := scanOf(b, at(1, 0))
			lose(w)
			admittedAt := w.clock.Now().Truncate(time.Millisecond)
			if _, _, err := w.checkIn(t.Context(), 0, req); !errors.Is(err, booking.ErrUnknown) {
				t.Fatalf("got %v, want an unknown outcome", err)
			}
			w.store.Lose(nil, nil)
			w.clock.Advance(time.Minute)
			if other, _ := w.scan(t, 1, scanOf(b, at(1, 0))); other.Result != booking.AlreadyUsed || !other.AdmittedAt.Equal(admittedAt) {
				t.Errorf("another door: %+v", other)
			}
			if got, _ := w.scan(t, 1, req); got.Result != booking.Admitted || !got.At.Equal(admittedAt) {
				t.Errorf("the same scan: %+v", got)
			}
		})
	}
}

func mustEvent(t *testing.T, w *world) *booking.Event {
	t.Helper()
	e, err := w.replicas[0].Event(t.Context(), w.def.EventID)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAttendeesComeInPages(t *testing.T) {
	w := newWorld(t, 1, nil)
	first := w.buy(t, at(1, 0), at(1, 1), at(1, 2))
	w.buy(t, at(2, 0), at(2, 1))
	w.buy(t, at(1, 3))
	w.hold(t, at(1, 4))
	w.scan(t, 0, scanOf(first, at(1, 1)))
	e := mustEvent(t, w)
	var all []booking.Attendee
	for block := 1; block <= 2; block++ {
		some, err := w.replicas[0].AttendeesOf(t.Context(), booking.BlockID{Event: e.ID(), Block: block})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	in := 0
	for _, a := range all {
		if a.Holder != "ada@example.com" || a.Currency != "EUR" || a.Seat.Price != 5000 || a.Ticket != booking.TicketID(a.Booking, a.Seat.ID) {
			t.Errorf("%+v", a)
		}
		if a.CheckedInAt != nil {
			in++
			if a.Seat.ID != at(1, 1) || !a.CheckedInAt.Equal(w.clock.Now().Truncate(time.Millisecond)) {
				t.Errorf("checked in: %+v", a)
			}
		}
	}
	if len(all) != 6 || in != 1 {
		t.Fatalf("%d attendees, %d of them in", len(all), in)
	}
	for limit := 1; limit <= 7; limit++ {
		var got []booking.Attendee
		var after *booking.AttendeePosition
		for pages := 1; ; pages++ {
			page, next, err := w.replicas[0].Attendees(t.Context(), e, after, limit)
			if err != nil || len(page) > limit || len(page) == 0 {
				t.Fatalf("page %d of %d: %d, %v", pages, limit, len(page), err)
			}
			got = append(got, page...)
			if after = next; next == nil {
				break
			}
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("pages of %d:\n%s", limit, diff)
		}
	}
}
