package booking_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func TestSeatIDIsTextInJSON(t *testing.T) {
	data, err := json.Marshal([]booking.SeatID{{Block: 2, Index: 17}})
	if err != nil || string(data) != `["2-17"]` {
		t.Fatalf("%s %v", data, err)
	}
	var ids []booking.SeatID
	if err := json.Unmarshal(data, &ids); err != nil || ids[0] != (booking.SeatID{Block: 2, Index: 17}) {
		t.Errorf("%v %v", ids, err)
	}
	if err := json.Unmarshal([]byte(`["2-017"]`), &ids); err == nil {
		t.Errorf("read as %v", ids)
	}
}

func TestPositionsCountThroughTheBlocks(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) {
		e.Blocks = []events.Block{{}, e.Blocks[0], {}, e.Blocks[1], {}} // blocks without seats have no positions
	})
	plan := s.Event.Plan
	if plan.Len() != 26 {
		t.Fatalf("%d seats", plan.Len())
	}
	for n := range uint32(26) {
		want := booking.SeatID{Block: 2, Index: int(n)}
		if n >= 20 {
			want = booking.SeatID{Block: 4, Index: int(n) - 20}
		}
		if got := plan.SeatID(n); got != want {
			t.Errorf("position %d is %s, want %s", n, got, want)
		}
		if back, ok := plan.Position(want); !ok || back != n {
			t.Errorf("%s is at %d, want %d", want, back, n)
		}
	}
	for _, id := range []booking.SeatID{{}, {Block: 1}, {Block: 2, Index: -1}, {Block: 2, Index: 20}, {Block: 4, Index: 6}, {Block: 6}} {
		if n, ok := plan.Position(id); ok {
			t.Errorf("%s is at %d", id, n)
		}
	}
}

func TestSeatIsDescribedByItsRow(t *testing.T) {
	s := newSale(t, func(e *events.EventChanged) {
		e.Blocks[0].Rows[1].Numbers = []string{"1", "3", "5", "7", "9", "10", "8", "6", "4", "2"}
		e.Blocks[0].Rows[1].Section = "Circle"
		e.Blocks[0].Rows[0].First = 101
		e.TicketTypes = e.TicketTypes[:1] // the floor is not for sale
	})
	stalls := func(seat booking.BookedSeat) booking.BookedSeat {
		seat.TicketTypeID, seat.TicketTypeName, seat.Price = "stalls", "Stalls", events.Money{Amount: 5000, Currency: "EUR"}
		return seat
	}
	for n, want := range map[uint32]booking.BookedSeat{
		4:  stalls(booking.BookedSeat{ID: booking.SeatID{Block: 1, Index: 4}, Section: "Stalls", Row: "A", Number: "105"}),
		15: stalls(booking.BookedSeat{ID: booking.SeatID{Block: 1, Index: 15}, Section: "Circle", Row: "B", Number: "10"}),
		20: {ID: booking.SeatID{Block: 2}, Section: "Floor", Number: "1", Price: events.Money{Currency: "EUR"}},
	} {
		if diff := cmp.Diff(want, s.Event.Describe(n)); diff != "" {
			t.Errorf("seat %d: %s", n, diff)
		}
	}
}

func TestPlanOutOfBoundsIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*events.EventChanged){
		"blocked seat before its row": func(e *events.EventChanged) { e.Blocks[0].Rows[0].Blocked = []int{-1} },
		"run of less than nothing":    func(e *events.EventChanged) { e.Blocks[0].Rows[0].Runs[0].Count = -1 },
		"rows too many":               func(e *events.EventChanged) { e.Blocks[0].Rows[0].Runs[0].Count = booking.BlockSize - 9 },
		"categories too many": func(e *events.EventChanged) {
			for n := range 127 {
				e.Blocks[1].Rows[0].Runs = append(e.Blocks[1].Rows[0].Runs, events.Run{Category: strconv.Itoa(n), Count: 1})
			}
		},
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

func TestSeatStatesHaveLettersAndNames(t *testing.T) {
	for state, want := range map[booking.SeatState]string{
		booking.Available: "a available", booking.HeldSeat: "h held", booking.Sold: "s sold", booking.Blocked: "x blocked",
	} {
		if got := string(state.Letter()) + " " + state.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
