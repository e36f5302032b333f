package booking_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func (s *sale) buy(seats ...uint32) uint64 {
	s.t.Helper()
	own := s.hold(seats...)
	s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))
	return own
}

func TestScanResultFollowsTicketState(t *testing.T) {
	s := newSale(t, nil)
	own, cancelled, resold := s.buy(0, 20), s.buy(5), s.buy(6)
	s.do(s.cancel(cancelled), s.cancel(resold))
	second, held := s.buy(6), s.hold(7)
	unknown := uint64(99)
	s.do(payment(unknown, uuid.New(), logpb.Payment_CONFIRMED))
	change := func(c *logpb.Command, change func(*logpb.Scan)) *logpb.Command { change(c.GetScan()); return c }
	other := uuid.New()
	tests := []struct {
		name           string
		scan           *logpb.Command
		want           booking.ScanResult
		holder, number string
	}{
		{"a ticket", s.scan(own, 0), booking.Admitted, "ada@example.com", "1"},
		{"the same ticket", s.scan(own, 0), booking.AlreadyUsed, "ada@example.com", "1"},
		{"another ticket of the booking, in another block", s.scan(own, 20), booking.Admitted, "ada@example.com", "1"},
		{"no code of ours", change(s.scan(own, 0), func(c *logpb.Scan) { c.Ticket = nil }), booking.Forged, "", ""},
		{"a ticket of another event", change(s.scan(own, 0), func(c *logpb.Scan) { c.Event = other[:] }), booking.WrongEvent, "", ""},
		{"a cancelled booking's", s.scan(cancelled, 5), booking.NotValid, "ada@example.com", "6"},
		{"a cancelled booking's whose seat was sold again", s.scan(resold, 6), booking.NotValid, "ada@example.com", "7"},
		{"that of who bought it then", s.scan(second, 6), booking.Admitted, "ada@example.com", "7"},
		{"a hold's", s.scan(held, 7), booking.NotValid, "ada@example.com", "8"},
		{"a seat that is not the booking's", s.scan(own, 9), booking.NotValid, "", "10"},
		{"a seat the event does not have", change(s.scan(own, 0), func(c *logpb.Scan) { c.Block = 9 }), booking.NotValid, "", ""},
		{"a booking nobody knows", s.scan(1000, 0), booking.NotValid, "", "1"},
		{"a payment without a booking", s.scan(unknown, 0), booking.NotValid, "", "1"},
		{"a booking of another event with the same half", change(s.scan(own, 0), func(c *logpb.Scan) { copy(c.Booking, other[:8]) }), booking.NotValid, "", "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			first := s.do(tt.scan)[0].GetScan()
			got := s.Scan(first)
			if got.Result != tt.want || got.Holder != tt.holder || !got.At.Equal(s.now) {
				t.Errorf("got %+v", got)
			}
			if (got.Seat == nil) != (tt.number == "") || got.Seat != nil && got.Seat.Number != tt.number {
				t.Errorf("seat %+v, want number %q", got.Seat, tt.number)
			}
			if (got.Ticket == uuid.Nil) != (tt.want == booking.Forged) || (got.AdmittedAt == nil) != (tt.want != booking.AlreadyUsed) {
				t.Errorf("ticket %s, admitted at %v", got.Ticket, got.AdmittedAt)
			}
			s.now = s.now.Add(time.Second)
			seq := s.Seq
			again := s.do(tt.scan)[0]
			if diff := cmp.Diff(first, again.GetScan(), protocmp.Transform()); diff != "" || !again.GetReplayed() || s.Seq != seq {
				t.Errorf("sent again: replayed %t\n%s", again.GetReplayed(), diff)
			}
			change(tt.scan, func(c *logpb.Scan) { c.CodeHash = []byte("another code") })
			wantRefusal(t, s.do(tt.scan)[0], booking.ScanReused)
		})
	}
	if log := s.Scans(uuid.Max, 100); len(log) != len(tests) {
		t.Errorf("%d lines in the log of %d scans", len(log), len(tests))
	}
}

func TestConcurrentScansAdmitHolderOnce(t *testing.T) {
	s := newSale(t, nil)
	own := s.buy(0)
	var doors []*logpb.Command
	for range 20 {
		doors = append(doors, s.scan(own, 0))
	}
	results := map[string]int{}
	for _, a := range append(s.do(doors[:10]...), s.do(doors[10:]...)...) {
		results[a.GetScan().GetResult()]++
	}
	if diff := cmp.Diff(map[string]int{"admitted": 1, "already_used": 19}, results); diff != "" {
		t.Error(diff)
	}
}

func TestScanOfNoEventIsRefused(t *testing.T) {
	s := newSale(t, nil)
	wantRefusal(t, booking.NewState().NewRound(s.now).Decide(s.scan(1, 0)), booking.NotFound)
}

func TestScansComeInPagesNewestFirst(t *testing.T) {
	s := newSale(t, nil)
	own := s.buy(0)
	var want []uuid.UUID
	scans := []*logpb.Command{s.scan(own, 0), s.scan(own, 0), s.scan(own, 0), s.scan(own, 0), s.scan(own, 0)}
	for _, c := range scans {
		want = append([]uuid.UUID{uuid.UUID(c.GetScan().GetId())}, want...)
	}
	s.do(scans[3], scans[0], scans[4]) // scanners deliver late
	s.do(scans[2], scans[1])
	for limit := 1; limit <= 6; limit++ {
		var got []uuid.UUID
		before := uuid.Max
		for {
			page := s.Scans(before, limit)
			if len(page) == 0 {
				break
			}
			for _, scan := range page {
				got = append(got, scan.ID)
			}
			before = got[len(got)-1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", limit, diff)
		}
	}
}
