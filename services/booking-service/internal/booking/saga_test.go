package booking_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func expire() *logpb.Command {
	return &logpb.Command{Kind: &logpb.Command_Expire{Expire: &logpb.Expire{}}}
}

// cancellations returns the reasons of the log's BookingCancelled messages, and
// checks that no two messages share an id.
func (s *sale) cancellations() (reasons []events.CancelReason) {
	s.t.Helper()
	ids := map[uuid.UUID]bool{}
	for i, entry := range s.log {
		for _, m := range s.Messages(int64(i)+1, entry) {
			if ids[m.ID] {
				s.t.Errorf("two messages have the id %s; the second is %s of entry %d", m.ID, m.Type, i+1)
			}
			ids[m.ID] = true
			if m.Type == events.TypeBookingCancelled {
				var c events.BookingCancelled
				if err := json.Unmarshal(m.Data, &c); err != nil {
					s.t.Fatal(err)
				}
				reasons = append(reasons, c.Reason)
			}
		}
	}
	return reasons
}

func TestFirstTransitionWins(t *testing.T) {
	type steps = []string
	for name, c := range map[string]struct {
		steps   steps
		want    booking.Status
		payment string
		free    bool
	}{
		"payment before the deadline":     {steps{"pay", "expire"}, booking.Confirmed, booking.PaymentSucceeded, false},
		"deadline before the payment":     {steps{"expire", "pay"}, booking.Expired, booking.PaymentRefunding, true},
		"payment before the cancellation": {steps{"pay", "cancel"}, booking.Cancelled, booking.PaymentRefunding, true},
		"cancellation before the payment": {steps{"cancel", "pay"}, booking.Expired, booking.PaymentRefunding, true},
		"decline before the deadline":     {steps{"decline", "expire"}, booking.PaymentFailed, booking.PaymentDeclined, true},
		"deadline before the decline":     {steps{"expire", "decline"}, booking.Expired, "", true},
		"payment after a decline":         {steps{"decline", "pay", "expire"}, booking.Confirmed, booking.PaymentSucceeded, false},
		"decline after the payment":       {steps{"pay", "decline"}, booking.Confirmed, booking.PaymentSucceeded, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, together := range []bool{true, false} {
				s := newSale(t, nil)
				own := s.hold(0, 1)
				s.now = s.now.Add(10 * time.Minute) // the deadline has passed
				var commands []*logpb.Command
				for _, step := range c.steps {
					switch step {
					case "pay":
						commands = append(commands, payment(own, uuid.New(), logpb.Payment_CONFIRMED))
					case "decline":
						commands = append(commands, payment(own, uuid.New(), logpb.Payment_FAILED))
					case "cancel":
						commands = append(commands, s.cancel(own))
					case "expire":
						commands = append(commands, expire())
					}
				}
				if together {
					s.do(commands...)
				} else {
					for _, command := range commands {
						s.do(command)
					}
				}
				wantStatus(t, s, own, c.want)
				status := ""
				if p := s.Booking(own).Payment; p != nil {
					status = p.Status
				}
				if free := s.SeatState(0) == booking.Available; status != c.payment || free != c.free {
					t.Errorf("together %t: payment %q, seats free %t", together, status, free)
				}
				if s.Open() {
					t.Error("something is still held")
				}
			}
		})
	}
}

func TestCancellationInTimeWinsOverALatePayment(t *testing.T) {
	s := newSale(t, nil)
	own := s.hold(0)
	s.do(s.cancel(own), payment(own, uuid.New(), logpb.Payment_CONFIRMED))
	wantStatus(t, s, own, booking.Cancelled)
	if diff := cmp.Diff([]events.CancelReason{events.CancelledByBuyer, events.PaymentLate}, s.cancellations()); diff != "" {
		t.Error(diff)
	}
}

func TestLatePaymentDeliveredTwiceInOneRoundIsRefundedOnce(t *testing.T) {
	s := newSale(t, nil)
	own, late := s.hold(0), uuid.New()
	s.now = s.now.Add(10 * time.Minute)
	second := s.do(s.ask(uuid.New(), 0))[0].GetBooking().GetId()
	s.do(payment(own, late, logpb.Payment_CONFIRMED), payment(own, late, logpb.Payment_CONFIRMED))
	if diff := cmp.Diff([]events.CancelReason{events.HoldExpired, events.PaymentLate}, s.cancellations()); diff != "" {
		t.Error(diff)
	}
	wantStatus(t, s, own, booking.Expired)
	wantStatus(t, s, second, booking.Held)
	if s.SeatState(0) != booking.HeldSeat {
		t.Errorf("the seat is %s", s.SeatState(0))
	}
}

func TestTwoLatePaymentsAreBothRefunded(t *testing.T) {
	s := newSale(t, nil)
	own := s.hold(0)
	s.do(s.cancel(own))
	s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED), payment(own, uuid.New(), logpb.Payment_CONFIRMED))
	if diff := cmp.Diff([]events.CancelReason{events.CancelledByBuyer, events.PaymentLate, events.PaymentLate}, s.cancellations()); diff != "" {
		t.Error(diff)
	}
}

func TestPaymentForUnknownBookingIsMarkedForRefund(t *testing.T) {
	s := newSale(t, nil)
	id, ask := uuid.New(), s.ask(uuid.New(), 0)
	paid := payment(ask.GetHold().GetBooking(), id, logpb.Payment_CONFIRMED)
	s.do(paid, paid)
	s.do(paid)
	if diff := cmp.Diff([]events.CancelReason{events.PaymentLate}, s.cancellations()); diff != "" {
		t.Error(diff)
	}
	wantRefusal(t, s.do(ask)[0], booking.KeyReused)
	user := uuid.UUID(ask.GetHold().GetUser())
	cancel := &logpb.Command{Kind: &logpb.Command_Cancel{Cancel: &logpb.Cancel{Booking: ask.GetHold().GetBooking(), User: user[:]}}}
	wantRefusal(t, s.do(cancel)[0], booking.NotFound)
	wantRefusal(t, s.do(s.ask(user, 0))[0], "") // under another id
	if n := len(s.BookingsOf(user)) + len(s.BookingsOf(uuid.Nil)); n != 1 {
		t.Errorf("%d bookings", n)
	}
	seq := s.Seq
	refunded := payment(ask.GetHold().GetBooking(), id, logpb.Payment_REFUNDED)
	s.do(refunded, refunded)
	s.do(refunded)
	s.do(paid)
	if s.Seq != seq+1 {
		t.Errorf("%d entries for a refund", s.Seq-seq)
	}
}

func TestPaymentOfNoEventIsRefused(t *testing.T) {
	for outcome := range logpb.Payment_Outcome_name {
		a := booking.NewState().NewRound(time.Now()).Decide(payment(7, uuid.New(), logpb.Payment_Outcome(outcome)))
		wantRefusal(t, a, booking.NotFound)
	}
}

func TestRefundEndsAConfirmedBookingOnce(t *testing.T) {
	s := newSale(t, nil)
	own, id := s.hold(0), uuid.New()
	s.do(payment(own, id, logpb.Payment_CONFIRMED))
	refund := payment(own, id, logpb.Payment_REFUNDED)
	refund.GetPayment().Reason = string(events.EventCancelled)
	s.do(refund, refund)
	s.do(refund)
	b := s.Booking(own)
	if b.Status != booking.Cancelled || b.Reason != events.EventCancelled || b.Payment.Status != booking.PaymentRefunded || s.SeatState(0) != booking.Available {
		t.Errorf("%s, %s, %+v, seat %s", b.Status, b.Reason, b.Payment, s.SeatState(0))
	}
	if diff := cmp.Diff([]events.CancelReason{events.EventCancelled}, s.cancellations()); diff != "" {
		t.Error(diff)
	}
}

func TestRefundOfAnotherPaymentLeavesTheHold(t *testing.T) {
	s := newSale(t, nil)
	own := s.hold(0)
	seq := s.Seq
	s.do(payment(own, uuid.New(), logpb.Payment_REFUNDED))
	wantStatus(t, s, own, booking.Held)
	if s.Seq != seq || s.Booking(own).Payment != nil {
		t.Errorf("%d entries, payment %+v", s.Seq-seq, s.Booking(own).Payment)
	}
}

func TestCancel(t *testing.T) {
	pay := func(s *sale, own uint64) { s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED)) }
	notRecent := func(_ *sale, c *logpb.Cancel) { c.HeldOnly = true }
	for name, c := range map[string]struct {
		before func(s *sale, own uint64)
		change func(s *sale, c *logpb.Cancel)
		want   booking.Reason
	}{
		"a hold":                      {nil, nil, ""},
		"a confirmed booking":         {pay, nil, ""},
		"twice":                       {func(s *sale, own uint64) { s.do(s.cancel(own)) }, nil, ""},
		"a hold, not recent":          {nil, notRecent, ""},
		"a payment, not recent":       {pay, notRecent, booking.NotRecent},
		"twice, not recent":           {func(s *sale, own uint64) { pay(s, own); s.do(s.cancel(own)) }, notRecent, ""},
		"twice, and the event starts": {func(s *sale, own uint64) { pay(s, own); s.do(s.cancel(own)); s.now = s.def.StartsAt }, nil, ""},
		"by another user":             {nil, func(_ *sale, c *logpb.Cancel) { other := uuid.New(); c.User = other[:] }, booking.NotFound},
		"an unknown booking":          {nil, func(_ *sale, c *logpb.Cancel) { c.Booking = 1000 }, booking.NotFound},
		"an expired hold":             {func(s *sale, _ uint64) { s.now = s.now.Add(10 * time.Minute) }, nil, booking.NotCancellable},
		"just before the start":       {func(s *sale, own uint64) { pay(s, own); s.now = s.def.StartsAt.Add(-time.Millisecond) }, nil, ""},
		"at the start":                {func(s *sale, own uint64) { pay(s, own); s.now = s.def.StartsAt }, nil, booking.NotCancellable},
		"after check-in":              {func(s *sale, own uint64) { pay(s, own); s.do(s.scan(own, 1)) }, nil, booking.NotCancellable},
		"after a refused scan":        {func(s *sale, own uint64) { s.do(s.scan(own, 1)); pay(s, own) }, nil, ""},
		"of a cancelled event":        {func(s *sale, _ uint64) { s.def.Version, s.def.Status = 2, events.StatusCancelled; s.define() }, nil, booking.NotCancellable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSale(t, nil)
			own := s.hold(0, 1)
			if c.before != nil {
				c.before(s, own)
			}
			command := s.cancel(own)
			if c.change != nil {
				c.change(s, command.GetCancel())
			}
			a := s.do(command)[0]
			wantRefusal(t, a, c.want)
			if c.want == "" && (a.GetBooking().GetStatus() != string(booking.Cancelled) || s.SeatState(0) != booking.Available) {
				t.Errorf("booking %v, seat %s", a.GetBooking(), s.SeatState(0))
			}
		})
	}
}

func TestEventIsCancelledOnce(t *testing.T) {
	s := newSale(t, nil)
	for n := range uint32(6) {
		own := s.hold(n)
		if n%2 == 0 {
			s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))
		}
	}
	gone := s.hold(6)
	s.do(s.cancel(gone))
	// A type to which the seats of live bookings now belong.
	s.def.Version, s.def.Status = 2, events.StatusCancelled
	s.def.TicketTypes = append([]events.TicketType{{ID: "vip", Name: "VIP", Category: "V"}, {ID: "box", Name: "Box", Category: "X"}}, s.def.TicketTypes...)
	s.define()
	s.now = s.now.Add(time.Second)
	s.def.Version = 3
	s.define()
	want := map[events.CancelReason]int{events.EventCancelled: 6, events.CancelledByBuyer: 1}
	got := map[events.CancelReason]int{}
	for _, reason := range s.cancellations() {
		got[reason]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if available, held, sold := s.Counts(); available+held+sold != 0 {
		t.Errorf("%d available, %d held, %d sold", available, held, sold)
	}
	if counts := s.Sales().Seats; counts.Blocked != 26 {
		t.Errorf("seats %+v", counts)
	}
}

func TestDefinitionOfAnotherEventIsRefused(t *testing.T) {
	s := newSale(t, nil)
	other := s.def
	other.EventID, other.Version = uuid.New(), 2
	definition, err := booking.Definition(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"another event": definition, "no JSON": []byte("{")} {
		a := s.do(&logpb.Command{Kind: &logpb.Command_Define{Define: &logpb.Define{Definition: data}}})[0]
		if a.GetRefusal() != string(booking.InvalidDefinition) {
			t.Errorf("%s: %v", name, a)
		}
	}
}

func TestRoundEndsAtMostAThousandHolds(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) { e.Blocks[1].Rows[0].Runs[0].Count = 1200 })
	var holds []*logpb.Command
	for range 1200 {
		holds = append(holds, s.best(uuid.New(), "floor", 1))
	}
	s.do(holds...)
	s.now = s.now.Add(10 * time.Minute)
	for _, want := range []int{200, 0} {
		s.do(expire())
		if _, held, _ := s.Counts(); held != want {
			t.Errorf("%d held, want %d", held, want)
		}
	}
}

func TestMessagesFollowTheirSchemas(t *testing.T) {
	s := newSale(t, nil)
	own := s.hold(0, 20)
	s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))
	s.do(s.cancel(own))
	s.do(payment(77, uuid.New(), logpb.Payment_CONFIRMED))
	s.hold(1)
	s.def.Version, s.def.Status = 2, events.StatusCancelled
	s.define()
	n := 0
	for i, entry := range s.log {
		for _, m := range s.Messages(int64(i)+1, entry) {
			n++
			if err := events.Validate(m.Type, m.Data); err != nil {
				t.Errorf("%s: %v\n%s", m.Type, err, m.Data)
			}
		}
	}
	if n != 6 {
		t.Errorf("%d messages", n)
	}
}

func TestMessagesContinueTheTraceOfTheirCommand(t *testing.T) {
	s := newSale(t, nil)
	c := s.ask(uuid.New(), 0)
	c.Traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	s.do(c)
	if m := s.Messages(s.Seq, s.log[s.Seq-1]); len(m) != 1 || m[0].Traceparent != c.GetTraceparent() {
		t.Errorf("messages %+v", m)
	}
}
