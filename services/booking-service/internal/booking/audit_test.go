package booking_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func oversold(t *testing.T) float64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "oversold_seats_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("oversold_seats_total is not exported")
	return 0
}

func TestAuditCountsLostSeatsAndNotAPictureThatIsBehind(t *testing.T) {
	w := newWorld(t, 2, nil)
	b := w.hold(t, at(1, 0))
	if err := w.replicas[0].PaymentConfirmed(t.Context(), w.paid(b)); err != nil {
		t.Fatal(err)
	}
	home := booking.BlockID{Event: w.def.EventID, Block: 1}
	testkit.Eventually(t, "the outbox is empty", func() bool {
		unsent, err := w.store.ReadUnsent(t.Context(), home)
		return err == nil && len(unsent) == 0
	})
	// The second replica has heard of nothing: there is no feed.
	audit := func() {
		t.Helper()
		for shard := range booking.Shards {
			sweep := w.replicas[1].NewOutboxSweep(shard)
			for range 2 { // a block is judged when it has come to rest
				if err := sweep.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	before := oversold(t)
	audit()
	if n := oversold(t) - before; n != 0 {
		t.Fatalf("%v seats counted, and all are where they belong", n)
	}

	block, err := w.store.ReadBlock(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	theft := booking.SeatChange{Index: 0, From: b.ID, To: booking.Seat{Owner: uuid.New(), State: booking.Sold, Home: 1}}
	if applied, _, err := w.store.CommitRound(t.Context(), home, block.Version, []booking.Change{{Seats: []booking.SeatChange{theft}}}); err != nil || !applied {
		t.Fatal(applied, err)
	}
	audit()
	if n := oversold(t) - before; n != 1 {
		t.Errorf("%v seats counted, want the stolen one", n)
	}
}
