package booking_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func TestFirstHoldOfRoundGetsSeat(t *testing.T) {
	s := newSale(t, nil)
	answers := s.do(s.ask(uuid.New(), 3, 4), s.ask(uuid.New(), 4, 5), s.ask(uuid.New(), 5))
	wantRefusal(t, answers[0], "")
	wantRefusal(t, answers[1], booking.SeatsTaken)
	wantRefusal(t, answers[2], "")
	if diff := cmp.Diff([]uint32{4}, answers[1].GetSeats()); diff != "" {
		t.Error(diff)
	}
	wantRefusal(t, s.do(s.ask(uuid.New(), 3))[0], booking.SeatsTaken)
}

func TestSameRequestIsReplayedAndAnotherUnderItsKeyIsRefused(t *testing.T) {
	s := newSale(t, nil)
	first := s.ask(uuid.New(), 1)
	first.GetHold().RequestHash = []byte("a")
	answers := s.do(first, first)
	if !answers[1].GetReplayed() || answers[1].GetBooking().GetId() != answers[0].GetBooking().GetId() {
		t.Errorf("in one round: %v", answers[1])
	}
	s.do(payment(answers[0].GetBooking().GetId(), uuid.New(), logpb.Payment_CONFIRMED))
	if a := s.do(first)[0]; !a.GetReplayed() || a.GetBooking().GetStatus() != "held" {
		t.Errorf("after the payment: %v", a)
	}
	other := s.ask(uuid.UUID(first.GetHold().GetUser()), 2)
	other.GetHold().Booking, other.GetHold().RequestHash = first.GetHold().GetBooking(), []byte("b")
	wantRefusal(t, s.do(other)[0], booking.KeyReused)
}

func TestHoldIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*events.EventChanged)
		ask    func(s *sale) *logpb.Command
		want   booking.Reason
	}{
		"before the sale":           {func(e *events.EventChanged) { e.SaleStartsAt = e.SaleEndsAt }, nil, booking.SaleNotStarted},
		"after the sale":            {func(e *events.EventChanged) { e.SaleEndsAt = e.SaleStartsAt }, nil, booking.SaleEnded},
		"of a blocked seat":         {func(e *events.EventChanged) { e.Blocks[0].Rows[0].Blocked = []int{0} }, nil, booking.SeatsTaken},
		"of a seat without a price": {func(e *events.EventChanged) { e.TicketTypes = e.TicketTypes[1:] }, nil, booking.SeatsTaken},
		"of too many seats":         {func(e *events.EventChanged) { e.MaxSeatsPerBuyer = 1 }, func(s *sale) *logpb.Command { return s.ask(uuid.New(), 0, 1) }, booking.TooManySeats},
		"of an unknown type":        {nil, func(s *sale) *logpb.Command { return s.best(uuid.New(), "balcony", 1) }, booking.UnknownTicket},
		"of more than there are":    {nil, func(s *sale) *logpb.Command { return s.best(uuid.New(), "floor", 7) }, booking.NotEnoughSeats},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSale(t, c.change)
			ask := s.ask(uuid.New(), 0)
			if c.ask != nil {
				ask = c.ask(s)
			}
			seq := s.Seq
			wantRefusal(t, s.do(ask)[0], c.want)
			if s.Seq != seq {
				t.Error("a refusal is in the log")
			}
		})
	}
}

func TestBuyerLimitHoldsForWholeSale(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) {
		e.MaxSeatsPerBuyer = 3
		e.SaleEndsAt, e.StartsAt, e.EndsAt = e.SaleEndsAt.AddDate(1, 0, 0), e.StartsAt.AddDate(1, 0, 0), e.EndsAt.AddDate(1, 0, 0)
	})
	user := uuid.New()
	answers := s.do(s.ask(user, 0, 1), s.ask(user, 2, 3))
	wantRefusal(t, answers[1], booking.BuyerLimit)
	if answers[1].GetHeld() != 2 || answers[1].GetLimit() != 3 {
		t.Errorf("got %v", answers[1])
	}
	own := answers[0].GetBooking().GetId()
	s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))
	s.now = s.now.AddDate(0, 0, 40)
	wantRefusal(t, s.do(s.ask(user, 2, 3))[0], booking.BuyerLimit)
	cancelled := s.do(s.cancel(own), s.ask(user, 2, 3))
	wantRefusal(t, cancelled[1], "")
}

func TestBestSeatsAreNeighboursAndLeaveNoOrphan(t *testing.T) {
	for name, c := range map[string]struct {
		taken []uint32
		n     uint32
		want  []uint32
	}{
		"middle of the first row":            {nil, 2, []uint32{4, 5}},
		"an odd number":                      {nil, 3, []uint32{3, 4, 5}},
		"next to those taken, not one apart": {[]uint32{4, 5}, 2, []uint32{2, 3}},
		"a gap that fits":                    {[]uint32{0, 1, 4, 5, 6, 7, 8, 9}, 2, []uint32{2, 3}},
		"the next row rather than an orphan": {[]uint32{0, 1, 2, 6, 7, 8, 9}, 2, []uint32{14, 15}},
		"the whole row":                      {[]uint32{5}, 10, []uint32{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSale(t, func(e *events.EventChanged) { e.MaxSeatsPerBuyer = 20 })
			commands := []*logpb.Command{s.best(uuid.New(), "stalls", c.n)}
			if len(c.taken) > 0 {
				commands = append([]*logpb.Command{s.ask(uuid.New(), c.taken...)}, commands...)
			}
			answers := s.do(commands...) // in one round: seats it has assigned are taken
			if diff := cmp.Diff(c.want, answers[len(answers)-1].GetBooking().GetSeats()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeadlineEndsHoldsUnlessPaymentComesWithIt(t *testing.T) {
	s := newSale(t, nil)
	paid, unpaid, declined := s.hold(0), s.hold(1), s.hold(2)
	s.do(payment(declined, uuid.New(), logpb.Payment_FAILED))
	s.now = s.now.Add(time.Duration(s.def.HoldSeconds) * time.Second)
	answers := s.do(payment(paid, uuid.New(), logpb.Payment_CONFIRMED), s.ask(uuid.New(), 1), s.ask(uuid.New(), 0))
	wantStatus(t, s, paid, booking.Confirmed)
	wantStatus(t, s, unpaid, booking.Expired)
	wantStatus(t, s, declined, booking.PaymentFailed)
	wantRefusal(t, answers[1], "") // free again in the same round
	wantRefusal(t, answers[2], booking.SeatsTaken)
	if at, ok := s.NextDeadline(); !ok || at <= s.now.UnixMilli() {
		t.Errorf("next deadline %d %t", at, ok)
	}
}

func TestLatePaymentIsRefundedOnce(t *testing.T) {
	s := newSale(t, nil)
	own, id := s.hold(0), uuid.New()
	s.do(s.cancel(own))
	seq := s.Seq
	s.do(payment(own, id, logpb.Payment_CONFIRMED))
	s.do(payment(own, id, logpb.Payment_CONFIRMED))
	if s.Seq != seq+1 || s.Booking(own).Payment.Status != booking.PaymentRefunding {
		t.Errorf("%d entries, payment %+v", s.Seq-seq, s.Booking(own).Payment)
	}
	s.do(payment(own, id, logpb.Payment_REFUNDED))
	s.do(payment(own, id, logpb.Payment_CONFIRMED))
	if s.Booking(own).Payment.Status != booking.PaymentRefunded {
		t.Errorf("payment %+v", s.Booking(own).Payment)
	}
	want := []string{events.TypeBookingCreated, events.TypeBookingCancelled, events.TypeBookingCancelled}
	if diff := cmp.Diff(want, s.messages()); diff != "" {
		t.Error(diff)
	}
}

func TestRefundOfAnotherPaymentChangesNothing(t *testing.T) {
	s := newSale(t, nil)
	own, kept := s.hold(0), uuid.New()
	s.do(payment(own, kept, logpb.Payment_CONFIRMED))
	s.do(payment(own, uuid.New(), logpb.Payment_REFUNDED))
	if b := s.Booking(own); b.Status != booking.Confirmed || b.Payment.ID != kept || b.Payment.Status != booking.PaymentSucceeded {
		t.Errorf("%s, %+v", b.Status, b.Payment)
	}
	wantRefusal(t, s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))[0], booking.SecondPayment)
	s.do(payment(own, kept, logpb.Payment_REFUNDED))
	wantStatus(t, s, own, booking.Cancelled)
}

func TestRefundOfLatePaymentIsRecorded(t *testing.T) {
	s := newSale(t, nil)
	own, id := s.hold(0), uuid.New()
	s.do(payment(own, uuid.New(), logpb.Payment_FAILED))
	s.do(s.cancel(own))
	s.do(payment(own, id, logpb.Payment_REFUNDED))
	if p := s.Booking(own).Payment; p.ID != id || p.Status != booking.PaymentRefunded {
		t.Errorf("payment %+v", p)
	}
}

func TestPaymentForNoBookingIsRefunded(t *testing.T) {
	s := newSale(t, nil)
	s.do(payment(77, uuid.New(), logpb.Payment_CONFIRMED))
	if s.Booking(77) != nil {
		t.Error("it is shown as a booking")
	}
	if diff := cmp.Diff([]string{events.TypeBookingCancelled}, s.messages()); diff != "" {
		t.Error(diff)
	}
}

func TestCancelIsRefusedAfterTheStartAndAfterCheckIn(t *testing.T) {
	s := newSale(t, nil)
	used, unused := s.hold(0, 1), s.hold(2)
	s.do(payment(used, uuid.New(), logpb.Payment_CONFIRMED), payment(unused, uuid.New(), logpb.Payment_CONFIRMED))
	answers := s.do(s.scan(used, 1), s.cancel(used)) // ordered by the log, also within one round
	if answers[0].GetScan().GetResult() != "admitted" {
		t.Errorf("scan: %v", answers[0])
	}
	wantRefusal(t, answers[1], booking.NotCancellable)
	s.now = s.def.StartsAt
	wantRefusal(t, s.do(s.cancel(unused))[0], booking.NotCancellable)
	wantStatus(t, s, unused, booking.Confirmed)
}

func TestTicketAdmitsOnce(t *testing.T) {
	s := newSale(t, nil)
	own, held := s.hold(0), s.hold(5)
	s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))
	first, stranger := s.scan(own, 0), s.scan(own, 0)
	other := uuid.New()
	stranger.GetScan().Event = other[:]
	forged := s.scan(own, 0)
	forged.GetScan().Ticket = nil
	var results []string
	for _, a := range s.do(first, first, s.scan(own, 0), s.scan(held, 5), s.scan(own, 1), stranger, forged) {
		results = append(results, a.GetScan().GetResult())
	}
	want := []string{"admitted", "admitted", "already_used", "not_valid", "not_valid", "wrong_event", "forged"}
	if diff := cmp.Diff(want, results); diff != "" {
		t.Error(diff)
	}
	first.GetScan().CodeHash = []byte{2}
	wantRefusal(t, s.do(first)[0], booking.ScanReused)
	if page := s.Scans(uuid.Max, 3); len(page) != 3 || page[0].ID.String() < page[1].ID.String() {
		t.Errorf("scans %+v", page)
	}
}

func TestCancelledEventEndsEverything(t *testing.T) {
	s := newSale(t, nil)
	held, paid := s.hold(0), s.hold(1)
	s.do(payment(paid, uuid.New(), logpb.Payment_CONFIRMED))
	s.def.Version, s.def.Status = 2, events.StatusCancelled
	s.define()
	for _, own := range []uint64{held, paid} {
		if b := s.Booking(own); b.Status != booking.Cancelled || b.Reason != events.EventCancelled {
			t.Errorf("%s, %s", b.Status, b.Reason)
		}
	}
	if s.Booking(paid).Payment.Status != booking.PaymentRefunding {
		t.Errorf("payment %+v", s.Booking(paid).Payment)
	}
	for _, block := range s.Blocks() {
		for _, letter := range block.States {
			if letter != 'x' {
				t.Fatalf("block %d: %s", block.Block, block.States)
			}
		}
	}
	if types := s.messages(); len(types) != 5 || types[3] != events.TypeBookingCancelled || types[4] != events.TypeBookingCancelled {
		t.Errorf("messages %v", types)
	}
	wantRefusal(t, s.do(s.ask(uuid.New(), 5))[0], booking.EventNotOnSale)
}

func TestNewPriceIsForNewHolds(t *testing.T) {
	s := newSale(t, nil)
	before := s.hold(0)
	s.def.Version, s.def.TicketTypes[0].Price = 2, 9000
	s.define()
	after := s.hold(1)
	if a, b := s.Booking(before).Total().Amount, s.Booking(after).Total().Amount; a != 5000 || b != 9000 {
		t.Errorf("%d and %d", a, b)
	}
	s.def.Version, s.def.Name = 1, "older"
	s.define()
	if s.Event.Name != "Concert" {
		t.Error("an older definition replaced a newer one")
	}
}

func TestUnknownOperationIsNotSkipped(t *testing.T) {
	s := newSale(t, nil)
	if err := s.Apply(s.Seq+1, &logpb.Entry{Operations: []*logpb.Operation{{}}}); !errors.Is(err, booking.ErrUnknownOperation) {
		t.Errorf("got %v", err)
	}
}

// Replaying the log, and restoring a snapshot of any position and replaying the
// rest, give the same state and the same messages.
func TestSnapshotIsTheFoldOfTheLog(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) { e.MaxSeatsPerBuyer, e.HoldSeconds = 50, 20 })
	random := rand.New(rand.NewPCG(1, 2))
	var made []uint64
	snapshots := map[int64][]byte{}
	for range 2000 {
		s.now = s.now.Add(time.Second)
		c := s.ask(uuid.New(), uint32(random.IntN(26)))
		made = append(made, c.GetHold().GetBooking())
		own := made[random.IntN(len(made))]
		switch random.IntN(6) {
		case 0:
			c = payment(own, uuid.New(), logpb.Payment_CONFIRMED)
		case 1:
			if s.Booking(own) != nil {
				c = s.cancel(own)
			}
		case 2:
			if b := s.Booking(own); b != nil {
				c = s.scan(own, b.Seats[0])
			}
		case 3:
			c = s.best(uuid.New(), "stalls", 2)
		}
		s.do(c)
		if random.IntN(100) == 0 {
			data, err := s.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			snapshots[s.Seq] = data
		}
	}
	available, held, sold := s.Counts()
	if counts := s.Sales().Seats; counts.Available != available || counts.Held != held || counts.Sold != sold || sold == 0 {
		t.Errorf("counted %+v, kept %d %d %d", counts, available, held, sold)
	}
	for seq, data := range snapshots {
		restored, err := booking.Restore(data)
		if err != nil {
			t.Fatal(err)
		}
		for i := seq; i < int64(len(s.log)); i++ {
			if err := restored.Apply(i+1, s.log[i]); err != nil {
				t.Fatal(err)
			}
		}
		if equal, err := restored.Equal(s.State); err != nil || !equal {
			t.Fatalf("from the snapshot at %d: %v", seq, err)
		}
		if a, h, d := restored.Counts(); a != available || h != held || d != sold {
			t.Fatalf("from the snapshot at %d: counts %d %d %d, want %d %d %d", seq, a, h, d, available, held, sold)
		}
		if diff := cmp.Diff(s.Messages(seq, s.log[seq-1]), restored.Messages(seq, s.log[seq-1])); diff != "" {
			t.Fatal(diff)
		}
	}
	if len(snapshots) == 0 || s.Oversold != 0 {
		t.Errorf("%d snapshots, %d oversold", len(snapshots), s.Oversold)
	}
}

func TestAttendeesAreTicketHoldersOrderedBySeat(t *testing.T) {
	s := newSale(t, nil)
	late, early := s.hold(9, 3), s.hold(1)
	s.hold(5)
	s.do(payment(late, uuid.New(), logpb.Payment_CONFIRMED), payment(early, uuid.New(), logpb.Payment_CONFIRMED))
	var seats []string
	for from := 0; from >= 0; {
		var page []booking.Attendee
		page, from = s.Attendees(from, 2)
		for _, a := range page {
			seats = append(seats, a.Seat.ID.String())
		}
	}
	if want := []string{"1-1", "1-3", "1-9"}; !slices.Equal(seats, want) {
		t.Errorf("got %v, want %v", seats, want)
	}
}

func TestSeatIDIsCanonical(t *testing.T) {
	for _, text := range []string{"1-0", "12-45", "999999-299"} {
		if id, err := booking.ParseSeatID(text); err != nil || id.String() != text {
			t.Errorf("%s: %v %v", text, id, err)
		}
	}
	for _, text := range []string{"", "1", "0-1", "01-1", "1-01", "1-2000", "-1-2", "+1-2", "1- 2", "1-2-3", "1000000-1", "a-b"} {
		if id, err := booking.ParseSeatID(text); err == nil {
			t.Errorf("%q was read as %v", text, id)
		}
	}
}

func TestInconsistentPlanIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*events.EventChanged){
		"blocked seat outside its row": func(e *events.EventChanged) { e.Blocks[0].Rows[0].Blocked = []int{10} },
		"numbers of other length":      func(e *events.EventChanged) { e.Blocks[0].Rows[0].Numbers = []string{"1"} },
		"block too large":              func(e *events.EventChanged) { e.Blocks[0].Rows[0].Runs[0].Count = 2001 },
	} {
		t.Run(name, func(t *testing.T) {
			def := newSale(t, nil).def
			spoil(&def)
			definition, err := booking.Definition(def)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := booking.NewEvent(definition, nil); err == nil {
				t.Error("accepted")
			}
		})
	}
}
