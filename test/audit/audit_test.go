package audit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

var (
	event    = uuid.MustParse("01920000-0000-7000-8000-0000000000ee")
	ada, bob = uuid.MustParse("00000000-0000-7000-8000-00000000000a"), uuid.MustParse("00000000-0000-7000-8000-00000000000b")
	paid     = uuid.MustParse("00000000-0000-7000-8000-0000000000f1")
)

const (
	opened   = int64(1_000)
	deadline = int64(9_000)
)

// definition has two blocks of three and two seats; 1-2 is blocked, 2-0 and 2-1
// are standing.
func definition(price int64, status events.EventStatus) events.EventChanged {
	return events.EventChanged{
		EventID: event, Status: status, MaxSeatsPerBuyer: 3,
		TicketTypes: []events.TicketType{{ID: "a", Category: "seated", Price: price}, {ID: "b", Category: "standing", Price: 1903}},
		Blocks: []events.Block{
			{Rows: []events.Row{
				{Runs: []events.Run{{Category: "seated", Count: 1}}},
				{Runs: []events.Run{{Category: "seated", Count: 2}}, Blocked: []int{1}},
			}},
			{GeneralAdmission: true, Rows: []events.Row{{Runs: []events.Run{{Category: "standing", Count: 2}}}}},
		},
	}
}

func defined(t *testing.T, def events.EventChanged) *logpb.Operation {
	t.Helper()
	text, err := json.Marshal(def)
	if err != nil {
		t.Fatal(err)
	}
	return &logpb.Operation{Kind: &logpb.Operation_Defined{Defined: &logpb.Defined{Definition: text, At: opened}}}
}

func held(booking uint64, user uuid.UUID, seats ...uint32) *logpb.Operation {
	return &logpb.Operation{Kind: &logpb.Operation_Held{Held: &logpb.Held{
		Booking: booking, User: user[:], Seats: seats, At: opened, Expires: deadline,
	}}}
}

func confirmed(booking uint64) *logpb.Operation {
	return &logpb.Operation{Kind: &logpb.Operation_Confirmed{Confirmed: &logpb.Confirmed{Booking: booking, Payment: paid[:], At: 2_000}}}
}

func declined(booking uint64) *logpb.Operation {
	return &logpb.Operation{Kind: &logpb.Operation_Declined{Declined: &logpb.Declined{Booking: booking, Payment: paid[:], At: 2_000}}}
}

func ended(booking uint64, status, reason string, at int64) *logpb.Operation {
	return &logpb.Operation{Kind: &logpb.Operation_Ended{Ended: &logpb.Ended{Booking: booking, Status: status, Reason: reason, At: at}}}
}

func cancelled(booking uint64) *logpb.Operation {
	return ended(booking, "cancelled", "cancelled_by_buyer", 3_000)
}

func expired(booking uint64) *logpb.Operation {
	return ended(booking, "expired", "expired", deadline)
}

func paidLate(booking uint64) *logpb.Operation {
	return &logpb.Operation{Kind: &logpb.Operation_PaidLate{PaidLate: &logpb.PaidLate{Booking: booking, Payment: paid[:], At: deadline}}}
}

func refunded(booking uint64, payment uuid.UUID) *logpb.Operation {
	return &logpb.Operation{Kind: &logpb.Operation_Refunded{Refunded: &logpb.Refunded{Booking: booking, Payment: payment[:], At: deadline}}}
}

func admitted(booking uint64, seatPlusOne uint32) *logpb.Operation {
	return &logpb.Operation{Kind: &logpb.Operation_Scanned{Scanned: &logpb.Scanned{
		Result: "admitted", Booking: booking, SeatPlusOne: seatPlusOne, At: 4_000,
	}}}
}

// foldOf replays operations, each in its own entry, after the definition.
func foldOf(t *testing.T, operations ...*logpb.Operation) *fold {
	t.Helper()
	f := newFold(event)
	operations = append([]*logpb.Operation{defined(t, definition(4517, events.StatusPublished))}, operations...)
	for i, op := range operations {
		if err := f.apply(int64(i+1), entry(t, i, op)); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func entry(t *testing.T, id int, operations ...*logpb.Operation) []byte {
	t.Helper()
	data, err := proto.Marshal(&logpb.Entry{Id: []byte{byte(id)}, Operations: operations})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFoldMatchesLog(t *testing.T) {
	cheaper := definition(3000, events.StatusPublished)
	f := foldOf(t,
		held(1, ada, 0, 3), confirmed(1), admitted(1, 4),
		defined(t, cheaper),
		held(2, bob, 1), declined(2), ended(2, "payment_failed", "payment_failed", deadline+1),
		held(3, bob, 1),
		paidLate(2), refunded(2, paid),
		paidLate(9),
		held(4, bob, 4), confirmed(4), cancelled(4),
	)
	if len(f.soldTwice)+len(f.inconsistent) > 0 {
		t.Errorf("sold twice %v, inconsistent %v", f.soldTwice, f.inconsistent)
	}
	type row struct {
		ID, Status, Reason, Payment string
		Seats                       []string
		Total, Seq                  int64
	}
	var got []row
	for _, b := range f.bookings {
		r := row{ID: b.ID.String(), Status: b.Status, Reason: b.Reason, Seats: b.Seats, Total: b.Total, Seq: b.seq}
		if b.Payment != nil {
			r.Payment = b.Payment.Status
		}
		got = append(got, r)
	}
	want := []row{
		{"01920000-0000-7000-0000-000000000001", "confirmed", "", "succeeded", []string{"1-0", "2-0"}, 4517 + 1903, 3},
		{"01920000-0000-7000-0000-000000000002", "payment_failed", "payment_failed", "refunded", []string{"1-1"}, 3000, 11},
		{"01920000-0000-7000-0000-000000000003", "held", "", "", []string{"1-1"}, 3000, 9},
		{"01920000-0000-7000-0000-000000000009", "unknown", "", "refunding", nil, 0, 12},
		{"01920000-0000-7000-0000-000000000004", "cancelled", "cancelled_by_buyer", "refunding", []string{"2-1"}, 1903, 15},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bookings (-want +got):\n%s", diff)
	}
	owners := map[string]uuid.UUID{
		"1-0": f.bookingID(1), "1-1": f.bookingID(3), "1-2": {}, "2-0": f.bookingID(1), "2-1": {},
	}
	if diff := cmp.Diff(owners, f.seatOwners()); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	b := f.byID[1]
	if b.UserID != ada || b.CreatedAt.UnixMilli() != opened || b.ExpiresAt.UnixMilli() != deadline || b.ConfirmedAt.UnixMilli() != 2_000 || b.EndedAt != nil {
		t.Errorf("booking 1 is %+v", b)
	}
}

func TestCancelledEventEndsItsBookings(t *testing.T) {
	f := foldOf(t, held(1, ada, 0), confirmed(1), held(2, bob, 1), expired(2), held(3, bob, 1), defined(t, definition(4517, events.StatusCancelled)))
	for own, want := range map[uint64]string{1: "cancelled event_cancelled refunding", 2: "expired expired ", 3: "cancelled event_cancelled "} {
		b := f.byID[own]
		got := b.Status + " " + b.Reason + " "
		if b.Payment != nil {
			got += b.Payment.Status
		}
		if got != want {
			t.Errorf("booking %d is %q, want %q", own, got, want)
		}
	}
	for seat, owner := range f.seatOwners() {
		if owner != uuid.Nil {
			t.Errorf("seat %s belongs to %s", seat, owner)
		}
	}
}

func TestSeatSoldTwiceIsReported(t *testing.T) {
	tests := []struct {
		name string
		log  []*logpb.Operation
		want []string
	}{
		{"each seat once", []*logpb.Operation{held(1, ada, 0), held(2, bob, 1)}, nil},
		{"again after the first has ended", []*logpb.Operation{held(1, ada, 0), expired(1), held(2, bob, 0), confirmed(2)}, nil},
		{"held while it is held", []*logpb.Operation{held(1, ada, 0, 1), held(2, bob, 1)}, []string{"1-1"}},
		{"held while it is sold", []*logpb.Operation{held(1, ada, 0), confirmed(1), held(2, bob, 0)}, []string{"1-0"}},
		{"twice in one booking", []*logpb.Operation{held(1, ada, 0, 0)}, []string{"1-0"}},
		{"the dead is confirmed, and another has its seat", []*logpb.Operation{held(1, ada, 0), expired(1), held(2, bob, 0), confirmed(1)}, []string{"1-0"}},
		{"sold again after the dead was confirmed", []*logpb.Operation{held(1, ada, 0), expired(1), confirmed(1), held(2, bob, 0)}, []string{"1-0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, foldOf(t, tt.log...).soldTwice); diff != "" {
				t.Errorf("seats sold twice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestForbiddenOperationIsReported(t *testing.T) {
	tests := []struct {
		name string
		log  []*logpb.Operation
		want string
	}{
		{"a booking that was never held is confirmed", []*logpb.Operation{confirmed(1)}, "never held"},
		{"an expired booking is confirmed", []*logpb.Operation{held(1, ada, 0), expired(1), confirmed(1)}, "confirmed while it is expired"},
		{"a booking is confirmed twice", []*logpb.Operation{held(1, ada, 0), confirmed(1), confirmed(1)}, "confirmed while it is confirmed"},
		{"an expired booking ends", []*logpb.Operation{held(1, ada, 0), expired(1), cancelled(1)}, "ended while it is expired"},
		{"a confirmed booking expires", []*logpb.Operation{held(1, ada, 0), confirmed(1), expired(1)}, "is confirmed and becomes expired"},
		{"a hold expires early", []*logpb.Operation{held(1, ada, 0), ended(1, "expired", "expired", deadline-1)}, "before its deadline"},
		{"a booking ends as nothing known", []*logpb.Operation{held(1, ada, 0), ended(1, "lost", "", deadline)}, `"lost"`},
		{"a booking is made twice", []*logpb.Operation{held(1, ada, 0), held(1, ada, 1)}, "held again"},
		{"a seat that is not there", []*logpb.Operation{held(1, ada, 5)}, "seat 5 of 5"},
		{"a blocked seat", []*logpb.Operation{held(1, ada, 2)}, "not for sale"},
		{"a buyer has too many seats", []*logpb.Operation{held(1, ada, 0, 1), held(2, ada, 3, 4)}, "has 4 seats"},
		{"a payment of a sold booking is declined", []*logpb.Operation{held(1, ada, 0), confirmed(1), declined(1)}, "declined while it is confirmed"},
		{"a payment of a held booking is late", []*logpb.Operation{held(1, ada, 0), paidLate(1)}, "payment is late"},
		{"a sold booking gets its money back", []*logpb.Operation{held(1, ada, 0), confirmed(1), refunded(1, paid)}, "refunded while it is confirmed"},
		{"another payment is given back", []*logpb.Operation{held(1, ada, 0), confirmed(1), cancelled(1), refunded(1, ada)}, "not its own"},
		{"a ticket is admitted twice", []*logpb.Operation{held(1, ada, 0), confirmed(1), admitted(1, 1), admitted(1, 1)}, "admitted twice"},
		{"a ticket that is not paid for is admitted", []*logpb.Operation{held(1, ada, 0), admitted(1, 1)}, "has not bought it"},
		{"a ticket for another's seat is admitted", []*logpb.Operation{held(1, ada, 0), confirmed(1), admitted(1, 2)}, "has not bought it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := foldOf(t, tt.log...).inconsistent
			if !slices.ContainsFunc(got, func(what string) bool { return strings.Contains(what, tt.want) }) {
				t.Errorf("found %q, want one that says %q", got, tt.want)
			}
		})
	}
}

func TestDuplicateEntryIsReported(t *testing.T) {
	f := foldOf(t)
	if err := f.apply(2, entry(t, 0)); err != nil {
		t.Fatal(err)
	}
	if len(f.inconsistent) != 1 {
		t.Errorf("found %q", f.inconsistent)
	}
}

func TestGapInLogIsReported(t *testing.T) {
	for _, seq := range []int64{1, 3} {
		f := foldOf(t)
		if err := f.apply(seq, entry(t, 9)); err != nil {
			t.Fatal(err)
		}
		if len(f.inconsistent) != 1 || !strings.Contains(f.inconsistent[0], "comes after entry 1") {
			t.Errorf("entry %d after 1: found %q", seq, f.inconsistent)
		}
	}
}

func TestUndecodableLogIsAnError(t *testing.T) {
	other := definition(1, events.StatusPublished)
	other.EventID = ada
	for name, apply := range map[string]func(f *fold) error{
		"no entry":             func(f *fold) error { return f.apply(2, []byte("rubbish")) },
		"an unknown operation": func(f *fold) error { return f.apply(2, entry(t, 9, &logpb.Operation{})) },
		"another event":        func(f *fold) error { return f.apply(2, entry(t, 9, defined(t, other))) },
	} {
		if apply(foldOf(t)) == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

func TestDifferenceIsMoneyKeptWithoutConfirmedBooking(t *testing.T) {
	if got := (Report{Captured: 900, Refunded: 200, Price: 500}).Difference(); got != 200 {
		t.Errorf("got %d, want 200", got)
	}
}
