package e2e

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestStreamBringsSnapshotThenEveryChange(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	watch := openStream(t, s, "")
	first := watch.next(t)
	if first.Event != "snapshot" {
		t.Fatalf("the first event is %q", first.Event)
	}
	var snapshot client.Availability
	decode(t, "Availability", first.Data, &snapshot)
	if len(snapshot.Blocks) != 3 {
		t.Fatalf("the snapshot has %d blocks", len(snapshot.Blocks))
	}

	booking := buy(t, buyer, s.seats("1-12", "1-13"))
	held := watch.delta(t, "held")
	sold := watch.delta(t, "sold")
	for _, d := range []client.AvailabilityDelta{held, sold} {
		if d.Block != "1" || len(d.Seats) != 2 || d.Seats["1-12"] == "" || d.Seats["1-13"] == "" {
			t.Errorf("delta: %+v", d)
		}
	}
	if sold.Version <= held.Version {
		t.Errorf("version %d after %d", sold.Version, held.Version)
	}
	must(buyer.CancelBooking(t.Context(), booking.ID))(t)
	watch.delta(t, "available")
}

func TestStreamContinuesAfterLastEventID(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	watch := openStream(t, s, "")
	snapshot := watch.next(t)
	hold(t, buyer, s.seats("1-0"))
	watch.delta(t, "held")
	seen := watch.last
	watch.close()
	if seen == "" || seen == snapshot.ID {
		t.Fatalf("the delta has the id %q, the snapshot %q", seen, snapshot.ID)
	}
	hold(t, buyer, s.seats("1-1"))
	// Only the replica that sent the id can continue from it. The others begin
	// with a snapshot, which must be complete.
	testkit.Eventually(t, "a stream continues", func() bool {
		resumed := openStream(t, s, seen)
		defer resumed.close()
		event := resumed.next(t)
		if event.Event == "snapshot" {
			var a client.Availability
			decode(t, "Availability", event.Data, &a)
			if got := a.Blocks[0].States[:3]; got != "hha" && got != "haa" {
				t.Errorf("a snapshot says %q of two held seats", got)
			}
			return false
		}
		var d client.AvailabilityDelta
		decode(t, "AvailabilityDelta", event.Data, &d)
		if d.Seats["1-1"] != "held" || len(d.Seats) != 1 {
			t.Errorf("continued with %+v, want what was missed alone", d)
		}
		return true
	})
}

func TestQuietStreamHasAHeartbeat(t *testing.T) {
	s := newSale(t, nil)
	watch := openStream(t, s, "")
	watch.next(t)
	begin := time.Now()
	for event := range watch.events {
		if event.Event == "comment" {
			if took := time.Since(begin); took > 25*time.Second {
				t.Errorf("the heartbeat came after %s, want about 15 s", took)
			}
			return
		}
	}
	t.Error("the stream ended without a heartbeat")
}

func TestStreamOfUnknownEventIsNotFound(t *testing.T) {
	resp := must(visitor().Do(t.Context(), client.Request{Method: "GET", Path: "/events/" + newEventID() + "/seats/stream"}))(t)
	if p := resp.Problem(); resp.Status != 404 || p.Code != "not_found" {
		t.Errorf("got %d %s", resp.Status, p.Code)
	}
}

// stream is a seat stream under test.
type stream struct {
	events <-chan client.StreamEvent
	close  context.CancelFunc
	last   string // id of the last event
}

func openStream(t *testing.T, s sale, lastID string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	events, err := visitor().Stream(ctx, s.event.ID, lastID)
	if err != nil {
		t.Fatal(err)
	}
	return &stream{events: events, close: cancel}
}

// next returns the next event other than a heartbeat.
func (w *stream) next(t *testing.T) client.StreamEvent {
	t.Helper()
	for event := range w.events {
		if event.Event == "comment" {
			continue
		}
		if event.ID == "" {
			t.Errorf("a %s without an id", event.Event)
		}
		w.last = event.ID
		return event
	}
	t.Fatal("the stream has ended")
	return client.StreamEvent{}
}

// delta returns the next delta that changes seats to a state.
func (w *stream) delta(t *testing.T, state string) client.AvailabilityDelta {
	t.Helper()
	for {
		event := w.next(t)
		if event.Event != "delta" {
			t.Fatalf("a %s among the deltas", event.Event)
		}
		var d client.AvailabilityDelta
		decode(t, "AvailabilityDelta", event.Data, &d)
		for _, got := range d.Seats {
			if got == state {
				return d
			}
		}
	}
}

func decode(t *testing.T, schema, data string, out any) {
	t.Helper()
	if err := rest.Validate(schema, []byte(data)); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal([]byte(data), out); err != nil {
		t.Fatal(err)
	}
}
