package booking_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// sale is one event's log, written by a test.
type sale struct {
	t   *testing.T
	def events.EventChanged
	now time.Time
	*booking.State
	log  []*logpb.Entry
	next uint64
}

// newSale opens the sale of two rows of ten seats and a standing area of six.
func newSale(t *testing.T, change func(*events.EventChanged)) *sale {
	t.Helper()
	now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	row := func(label string) events.Row {
		return events.Row{Label: label, First: 1, Runs: []events.Run{{Category: "A", Count: 10}}}
	}
	s := &sale{t: t, now: now, State: booking.NewState(), next: 1, def: events.EventChanged{
		EventID: uuid.Must(uuid.NewV7()), Version: 1, Status: events.StatusPublished, Name: "Concert", Currency: "EUR",
		StartsAt: now.Add(48 * time.Hour), EndsAt: now.Add(50 * time.Hour), SaleStartsAt: now.Add(-time.Hour), SaleEndsAt: now.Add(24 * time.Hour),
		MaxSeatsPerBuyer: 8, HoldSeconds: 600,
		TicketTypes: []events.TicketType{{ID: "stalls", Name: "Stalls", Category: "A", Price: 5000}, {ID: "floor", Name: "Floor", Category: "F", Price: 2500}},
		Blocks: []events.Block{
			{Section: "Stalls", Rows: []events.Row{row("A"), row("B")}},
			{Section: "Floor", GeneralAdmission: true, Rows: []events.Row{{First: 1, Runs: []events.Run{{Category: "F", Count: 6}}}}},
		},
	}}
	if change != nil {
		change(&s.def)
	}
	s.define()
	return s
}

func (s *sale) define() {
	s.t.Helper()
	definition, err := booking.Definition(s.def)
	if err != nil {
		s.t.Fatal(err)
	}
	if a := s.do(&logpb.Command{Kind: &logpb.Command_Define{Define: &logpb.Define{Definition: definition}}})[0]; a.GetRefusal() != "" {
		s.t.Fatal(a.GetRefusal())
	}
}

// do decides commands in one round and applies it.
func (s *sale) do(commands ...*logpb.Command) []*logpb.Answer {
	s.t.Helper()
	round := s.NewRound(s.now)
	answers := make([]*logpb.Answer, len(commands))
	for i, c := range commands {
		answers[i] = round.Decide(c)
	}
	if len(round.Operations) > 0 {
		entry := &logpb.Entry{Operations: round.Operations}
		s.log = append(s.log, entry)
		if err := s.Apply(s.Seq+1, entry); err != nil {
			s.t.Fatal(err)
		}
	}
	return answers
}

func (s *sale) ask(user uuid.UUID, seats ...uint32) *logpb.Command {
	s.next++
	return &logpb.Command{Kind: &logpb.Command_Hold{Hold: &logpb.Hold{
		Booking: s.next, User: user[:], Holder: "ada@example.com", Seats: seats, Event: s.def.EventID[:],
	}}}
}

func (s *sale) best(user uuid.UUID, ticketType string, quantity uint32) *logpb.Command {
	c := s.ask(user)
	c.GetHold().TicketType, c.GetHold().Quantity = ticketType, quantity
	return c
}

func (s *sale) hold(seats ...uint32) uint64 {
	s.t.Helper()
	a := s.do(s.ask(uuid.New(), seats...))[0]
	if a.GetRefusal() != "" {
		s.t.Fatalf("hold %v: %s", seats, a.GetRefusal())
	}
	return a.GetBooking().GetId()
}

func payment(own uint64, id uuid.UUID, outcome logpb.Payment_Outcome) *logpb.Command {
	return &logpb.Command{Kind: &logpb.Command_Payment{Payment: &logpb.Payment{Booking: own, Payment: id[:], Outcome: outcome, FailureCode: "card_declined"}}}
}

func (s *sale) cancel(own uint64) *logpb.Command {
	user := s.Booking(own).User
	return &logpb.Command{Kind: &logpb.Command_Cancel{Cancel: &logpb.Cancel{Booking: own, User: user[:]}}}
}

func (s *sale) scan(own uint64, seat uint32) *logpb.Command {
	id, full := uuid.Must(uuid.NewV7()), booking.JoinID(s.def.EventID, own)
	place := s.Event.Plan.SeatID(seat)
	ticket, scanner := booking.TicketID(full, place), uuid.New()
	return &logpb.Command{Kind: &logpb.Command_Scan{Scan: &logpb.Scan{
		Id: id[:], CodeHash: []byte{1}, Scanner: scanner[:], Ticket: ticket[:], Event: s.def.EventID[:], Booking: full[:],
		Block: uint32(place.Block), Index: uint32(place.Index),
	}}}
}

// messages returns the types of all messages of the log.
func (s *sale) messages() (types []string) {
	for i, entry := range s.log {
		for _, m := range s.Messages(int64(i)+1, entry) {
			types = append(types, m.Type)
		}
	}
	return types
}

func wantRefusal(t *testing.T, a *logpb.Answer, want booking.Reason) {
	t.Helper()
	if a.GetRefusal() != string(want) {
		t.Errorf("refusal %q, want %q", a.GetRefusal(), want)
	}
}

func wantStatus(t *testing.T, s *sale, own uint64, want booking.Status) {
	t.Helper()
	if got := s.Booking(own).Status; got != want {
		t.Errorf("booking is %s, want %s", got, want)
	}
}
