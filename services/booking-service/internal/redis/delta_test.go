package redis

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func someDeltas() []booking.Delta {
	return []booking.Delta{
		{
			BlockID: booking.BlockID{Event: uuid.New(), Block: 123456}, Version: 1 << 40, Origin: uuid.NewString(), Seats: []booking.SeatDelta{
				{Index: booking.BlockSize - 1, Seat: booking.Seat{Owner: uuid.New(), Deadline: 1795370000123, Home: 17, State: booking.HeldSeat}},
				{Index: 0, Seat: booking.Seat{}},
				{Index: 7, Seat: booking.Seat{Owner: booking.NotForSale, State: booking.Blocked}},
			},
		},
		{BlockID: booking.BlockID{Event: uuid.New(), Block: 1}, Version: 2, Seats: []booking.SeatDelta{}},
	}
}

func TestDeltasArriveAsTheyWereSent(t *testing.T) {
	want := someDeltas()
	var message []byte
	for i := range want {
		message = appendDelta(message, &want[i])
	}
	var got []booking.Delta
	for rest := message; len(rest) > 0; {
		var d booking.Delta
		var err error
		if d, rest, err = decodeDelta(rest); err != nil {
			t.Fatal(err)
		}
		got = append(got, d)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoDeltaIsRefused(t *testing.T) {
	deltas := someDeltas()
	whole := appendDelta(nil, &deltas[0])
	for n := range whole {
		if _, _, err := decodeDelta(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes are taken for a delta", n, len(whole))
		}
	}
	other := bytes.Clone(whole)
	other[0] = deltaFormat + 1
	if _, _, err := decodeDelta(other); err == nil {
		t.Error("another format is taken for this one")
	}
	deltas[0].Seats[0].Index = booking.BlockSize
	if _, _, err := decodeDelta(appendDelta(nil, &deltas[0])); err == nil {
		t.Error("a seat that no block has is taken for one")
	}
}
