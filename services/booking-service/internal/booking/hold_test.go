package booking_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func TestHoldRefusesSeatHeldByOther(t *testing.T) {
	for name, decide := range map[string]func(s *sale, first, second *logpb.Command) *logpb.Answer{
		"in one round":      func(s *sale, first, second *logpb.Command) *logpb.Answer { return s.do(first, second)[1] },
		"in the next round": func(s *sale, first, second *logpb.Command) *logpb.Answer { s.do(first); return s.do(second)[0] },
		"after it is bought": func(s *sale, first, second *logpb.Command) *logpb.Answer {
			own := s.do(first)[0].GetBooking().GetId()
			s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))
			return s.do(second)[0]
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSale(t, nil)
			loser := s.ask(uuid.New(), 2, 3, 4)
			a := decide(s, s.ask(uuid.New(), 3), loser)
			wantRefusal(t, a, booking.SeatsTaken)
			if diff := cmp.Diff([]uint32{3}, a.GetSeats()); diff != "" {
				t.Error(diff)
			}
			if available, held, sold := s.Counts(); available != 25 || held+sold != 1 {
				t.Errorf("the loser has seats: %d available, %d held, %d sold", available, held, sold)
			}
			if s.Booking(loser.GetHold().GetBooking()) != nil {
				t.Error("the loser has a booking")
			}
		})
	}
}

func TestCancelledSeatsAreFreeInTheSameRound(t *testing.T) {
	s := newSale(t, nil)
	own := s.hold(0, 1)
	answers := s.do(s.cancel(own), s.ask(uuid.New(), 1), s.ask(uuid.New(), 1))
	wantRefusal(t, answers[1], "")
	wantRefusal(t, answers[2], booking.SeatsTaken)
}

func TestHoldWithKnownKeyReplaysOriginalAnswer(t *testing.T) {
	for name, then := range map[string]func(s *sale, own uint64){
		"held":      func(*sale, uint64) {},
		"confirmed": func(s *sale, own uint64) { s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED)) },
		"declined":  func(s *sale, own uint64) { s.do(payment(own, uuid.New(), logpb.Payment_FAILED)) },
		"cancelled": func(s *sale, own uint64) { s.do(s.cancel(own)) },
		"refunded": func(s *sale, own uint64) {
			id := uuid.New()
			s.do(payment(own, id, logpb.Payment_CONFIRMED), payment(own, id, logpb.Payment_REFUNDED))
		},
		"expired":         func(s *sale, _ uint64) { s.now = s.now.Add(time.Hour) },
		"the sale ended":  func(s *sale, _ uint64) { s.now = s.def.SaleEndsAt },
		"event cancelled": func(s *sale, _ uint64) { s.def.Version, s.def.Status = 2, events.StatusCancelled; s.define() },
		"price changed":   func(s *sale, _ uint64) { s.def.Version, s.def.TicketTypes[0].Price = 2, 1; s.define() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSale(t, nil)
			ask := s.best(uuid.New(), "stalls", 2)
			ask.GetHold().RequestHash = []byte("a")
			first := s.do(ask)[0]
			then(s, first.GetBooking().GetId())
			again := s.do(ask)[0]
			if !again.GetReplayed() || again.GetRefusal() != "" {
				t.Fatalf("got %v", again)
			}
			if diff := cmp.Diff(first.GetBooking(), again.GetBooking(), protocmp.Transform(), protocmp.IgnoreFields(&logpb.Booking{}, "seq")); diff != "" {
				t.Error(diff)
			}
			for reason, change := range map[string]func(*logpb.Hold){
				"another body": func(h *logpb.Hold) { h.RequestHash = []byte("b") },
				"no hash":      func(h *logpb.Hold) { h.RequestHash = nil },
				"another user": func(h *logpb.Hold) { other := uuid.New(); h.User = other[:] },
			} {
				other := proto.CloneOf(ask)
				change(other.GetHold())
				if a := s.do(other)[0]; a.GetRefusal() != string(booking.KeyReused) || a.GetBooking() != nil {
					t.Errorf("%s: %v", reason, a)
				}
			}
		})
	}
}

func TestSaleWindowIncludesItsStartAndExcludesItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		at     func(events.EventChanged) time.Time
		change func(*events.EventChanged)
		want   booking.Reason
	}{
		"just before the start": {func(e events.EventChanged) time.Time { return e.SaleStartsAt.Add(-time.Millisecond) }, nil, booking.SaleNotStarted},
		"at the start":          {func(e events.EventChanged) time.Time { return e.SaleStartsAt }, nil, ""},
		"just before the end":   {func(e events.EventChanged) time.Time { return e.SaleEndsAt.Add(-time.Millisecond) }, nil, ""},
		"at the end":            {func(e events.EventChanged) time.Time { return e.SaleEndsAt }, nil, booking.SaleEnded},
		"while the event is on": {
			func(e events.EventChanged) time.Time { return e.EndsAt.Add(-time.Millisecond) },
			func(e *events.EventChanged) { e.SaleEndsAt = e.EndsAt.Add(time.Hour) }, "",
		},
		"when the event is over": {
			func(e events.EventChanged) time.Time { return e.EndsAt },
			func(e *events.EventChanged) { e.SaleEndsAt = e.EndsAt.Add(time.Hour) }, booking.EventNotOnSale,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSale(t, c.change)
			s.now = c.at(s.def)
			wantRefusal(t, s.do(s.ask(uuid.New(), 0))[0], c.want)
			wantRefusal(t, s.do(s.best(uuid.New(), "stalls", 1))[0], c.want)
		})
	}
}

func TestHoldOfUnknownSeatsOrTypesIsRefused(t *testing.T) {
	s := newSale(t, nil)
	wantRefusal(t, s.do(s.ask(uuid.New(), 25, 26))[0], booking.UnknownSeats)
	other, stranger := uuid.New(), s.ask(uuid.New(), 0)
	stranger.GetHold().Event = other[:]
	wantRefusal(t, s.do(stranger)[0], booking.EventNotOnSale)
	wantRefusal(t, booking.NewState().NewRound(s.now).Decide(s.ask(uuid.New(), 0)), booking.EventNotOnSale)
}

func TestBlockedSeatsAreNamed(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) { e.Blocks[0].Rows[0].Blocked = []int{1, 2} })
	taken := s.ask(uuid.New(), 0, 1, 2, 3)
	a := s.do(taken)[0]
	wantRefusal(t, a, booking.SeatsTaken)
	if diff := cmp.Diff([]uint32{1, 2}, a.GetSeats()); diff != "" {
		t.Error(diff)
	}
	if states := s.Blocks()[0].States; states != "axxaaaaaaaaaaaaaaaaa" {
		t.Error(states)
	}
}

func TestNoHoldIsLargerThanFiftySeats(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) {
		e.MaxSeatsPerBuyer, e.Blocks[0].Rows[0].Runs[0].Count, e.Blocks[0].Rows[1].Runs[0].Count = 100, 100, 100
	})
	a := s.do(s.best(uuid.New(), "stalls", booking.MaxSeatsPerHold+1))[0]
	wantRefusal(t, a, booking.TooManySeats)
	if a.GetLimit() != booking.MaxSeatsPerHold {
		t.Errorf("limit %d", a.GetLimit())
	}
	user := uuid.New()
	for _, a := range s.do(s.best(user, "stalls", booking.MaxSeatsPerHold), s.best(user, "stalls", booking.MaxSeatsPerHold)) {
		wantRefusal(t, a, "")
	}
	wantRefusal(t, s.do(s.best(user, "floor", 1))[0], booking.BuyerLimit)
}

func TestBuyerLimitCountsLiveBookingsOnly(t *testing.T) {
	for name, c := range map[string]struct {
		then func(s *sale, own uint64)
		want booking.Reason
	}{
		"held":      {func(*sale, uint64) {}, booking.BuyerLimit},
		"confirmed": {func(s *sale, own uint64) { s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED)) }, booking.BuyerLimit},
		"declined":  {func(s *sale, own uint64) { s.do(payment(own, uuid.New(), logpb.Payment_FAILED)) }, booking.BuyerLimit},
		"cancelled": {func(s *sale, own uint64) { s.do(s.cancel(own)) }, ""},
		"expired":   {func(s *sale, _ uint64) { s.now = s.now.Add(10 * time.Minute) }, ""},
		"refunded": {func(s *sale, own uint64) {
			id := uuid.New()
			s.do(payment(own, id, logpb.Payment_CONFIRMED), payment(own, id, logpb.Payment_REFUNDED))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSale(t, func(e *events.EventChanged) { e.MaxSeatsPerBuyer = 2 })
			user := uuid.New()
			c.then(s, s.do(s.ask(user, 0, 1))[0].GetBooking().GetId())
			wantRefusal(t, s.do(s.best(user, "floor", 1))[0], c.want)
			wantRefusal(t, s.do(s.ask(uuid.New(), 9))[0], "") // other buyers are not affected
		})
	}
}

// An answer may depend on earlier decisions of the round, so it is valid only
// once the round's entry is in the log.
func TestAnswerIsValidAtTheRoundsEntry(t *testing.T) {
	s := newSale(t, nil)
	ask := s.ask(uuid.New(), 0)
	before := s.Seq
	for i, a := range s.do(s.ask(uuid.New(), 26), ask, ask, s.ask(uuid.New(), 0)) {
		want := before + 1
		if i == 0 {
			want = before
		}
		if a.GetSeq() != want {
			t.Errorf("answer %d is valid at %d, want %d", i, a.GetSeq(), want)
		}
	}
}
