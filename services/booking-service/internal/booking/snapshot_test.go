package booking_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// messagesByID returns an entry's messages by id. Those of a cancelled event
// have no order.
func messagesByID(s *booking.State, seq int64, entry *logpb.Entry) []booking.Message {
	all := s.Messages(seq, entry)
	slices.SortFunc(all, func(a, b booking.Message) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return all
}

// randomCommand returns any command about any booking, most of them plausible.
func (s *sale) randomCommand(random *rand.Rand, users []uuid.UUID, payments []uuid.UUID) *logpb.Command {
	user, own := users[random.IntN(len(users))], 1+random.Uint64N(s.next+2)
	b := s.Booking(own)
	paid := payments[random.IntN(len(payments))]
	if b != nil && b.Payment != nil && random.IntN(2) == 0 {
		paid = b.Payment.ID
	}
	switch random.IntN(12) {
	case 0, 1, 2:
		return s.ask(user, uint32(random.IntN(26)))
	case 3:
		return s.best(user, "stalls", 1+random.Uint32N(4))
	case 4:
		return s.best(user, "floor", 1+random.Uint32N(3))
	case 5, 6:
		return payment(own, paid, logpb.Payment_CONFIRMED)
	case 7:
		return payment(own, paid, logpb.Payment_FAILED)
	case 8:
		return payment(own, paid, logpb.Payment_REFUNDED)
	case 9:
		if b != nil {
			return s.cancel(own)
		}
	case 10:
		if b != nil && len(b.Seats) > 0 {
			return s.scan(own, b.Seats[0])
		}
	}
	return expire()
}

// recount compares the state's counters with the seats themselves.
func (s *sale) recount() {
	s.t.Helper()
	var letters strings.Builder
	for _, block := range s.Blocks() {
		letters.WriteString(block.States)
	}
	count := func(letter string) int { return strings.Count(letters.String(), letter) }
	available, held, sold := s.Counts()
	if available != count("a") || held != count("h") || sold != count("s") {
		s.t.Fatalf("entry %d: counts %d %d %d, seats %s", s.Seq, available, held, sold, letters.String())
	}
	want := booking.SeatCounts{Available: count("a"), Held: count("h"), Sold: count("s"), Blocked: count("x")}
	if got := s.Sales().Seats; got != want {
		s.t.Fatalf("entry %d: sales count %+v, want %+v", s.Seq, got, want)
	}
	if _, ok := s.NextDeadline(); ok != s.Open() || s.Open() != (held > 0) {
		s.t.Fatalf("entry %d: %d held, deadline %t", s.Seq, held, ok)
	}
}

func TestStateIsTheFoldOfItsLog(t *testing.T) {
	for seed := range uint64(3) {
		s := newSale(t, func(e *events.EventChanged) { e.HoldSeconds, e.Blocks[0].Rows[1].Blocked = 15, []int{3} })
		random := rand.New(rand.NewPCG(seed, 7))
		users, payments := make([]uuid.UUID, 20), make([]uuid.UUID, 400)
		for i := range users {
			users[i] = uuid.New()
		}
		for i := range payments {
			payments[i] = uuid.New()
		}
		var delivered [][]booking.Message // messages of each entry, taken right after it
		snapshots := map[int64][]byte{}
		for done := 0; done < 2000; {
			s.now = s.now.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
			var commands []*logpb.Command
			for range 1 + random.IntN(4) {
				commands = append(commands, s.randomCommand(random, users, payments))
			}
			done += len(commands)
			before := s.Seq
			s.do(commands...)
			if done/500 != (done-len(commands))/500 { // three changes, then the end
				s.def.Version++
				s.def.TicketTypes = slices.Clone(s.def.TicketTypes)
				slices.Reverse(s.def.TicketTypes)
				s.def.TicketTypes[0].Price += 100
				if done >= 2000 {
					s.def.Status = events.StatusCancelled
				}
				s.define()
			}
			for seq := before + 1; seq <= s.Seq; seq++ {
				delivered = append(delivered, messagesByID(s.State, seq, s.log[seq-1]))
			}
			s.recount()
			if random.IntN(50) == 0 {
				data, err := s.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				snapshots[s.Seq] = data
			}
		}
		delivered = append([][]booking.Message{messagesByID(s.State, 1, s.log[0])}, delivered...)
		snapshots[0], _ = booking.NewState().Snapshot()
		snapshots[s.Seq], _ = s.Snapshot()
		for seq, data := range snapshots {
			restored, err := booking.Restore(data)
			if err != nil {
				t.Fatal(err)
			}
			for i := seq; i < s.Seq; i++ {
				if err := restored.Apply(i+1, s.log[i]); err != nil {
					t.Fatal(err)
				}
			}
			if equal, err := restored.Equal(s.State); err != nil || !equal {
				t.Fatalf("seed %d, from the snapshot at %d: another state, error %v", seed, seq, err)
			}
			if diff := cmp.Diff(s.Blocks(), restored.Blocks()); diff != "" {
				t.Fatalf("seed %d, from the snapshot at %d: %s", seed, seq, diff)
			}
			copied := *s
			copied.State = restored
			copied.recount()
			if seq != 0 && seq != s.Seq {
				continue // recreating all messages takes long
			}
			for i, want := range delivered {
				if diff := cmp.Diff(want, messagesByID(restored, int64(i)+1, s.log[i])); diff != "" {
					t.Fatalf("seed %d, from the snapshot at %d, messages of entry %d: %s", seed, seq, i+1, diff)
				}
			}
		}
		ids := map[uuid.UUID]bool{}
		for i, messages := range delivered {
			for _, m := range messages {
				if ids[m.ID] {
					t.Errorf("the id of %s of entry %d is used twice", m.Type, i+1)
				}
				ids[m.ID] = true
			}
		}
		if s.Oversold != 0 || len(s.log) < 500 || len(snapshots) < 10 {
			t.Errorf("seed %d: %d seats oversold, %d entries, %d snapshots", seed, s.Oversold, len(s.log), len(snapshots))
		}
	}
}

func TestRestoredStateDecidesAsBefore(t *testing.T) {
	s := newSale(t, nil)
	user := uuid.New()
	used := s.ask(user, 0, 1)
	used.GetHold().RequestHash = []byte("a")
	own := s.do(used)[0].GetBooking().GetId()
	s.do(payment(own, uuid.New(), logpb.Payment_CONFIRMED))
	scan := s.scan(own, 0)
	s.do(scan)
	held := s.hold(2)
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if s.State, err = booking.Restore(data); err != nil {
		t.Fatal(err)
	}
	answers := s.do(used, scan, s.scan(own, 0), s.cancel(own), s.ask(user, 3, 4, 5, 6, 7, 8, 9))
	if !answers[0].GetReplayed() || !answers[1].GetReplayed() || answers[2].GetScan().GetResult() != string(booking.AlreadyUsed) {
		t.Errorf("got %v", answers)
	}
	wantRefusal(t, answers[3], booking.NotCancellable)
	wantRefusal(t, answers[4], booking.BuyerLimit)
	s.now = s.now.Add(10 * time.Minute)
	s.do(expire())
	wantStatus(t, s, held, booking.Expired)
}

func TestDamagedSnapshotIsRefused(t *testing.T) {
	if _, err := booking.Restore([]byte("no snapshot")); err == nil {
		t.Error("restored")
	}
}

func TestEntryOutOfOrderIsRefused(t *testing.T) {
	s := newSale(t, nil)
	for _, seq := range []int64{s.Seq - 1, s.Seq, s.Seq + 2} {
		if err := s.Apply(seq, &logpb.Entry{}); err == nil {
			t.Errorf("entry %d was applied after %d", seq, s.Seq)
		}
	}
}
