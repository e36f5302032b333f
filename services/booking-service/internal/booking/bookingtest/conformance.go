package bookingtest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// Conformance is what every booking.Store must do.
func Conformance(t *testing.T, store booking.Store) {
	t.Run("a round is made as a whole, at its version", func(t *testing.T) {
		id := newBlock(t, store, 5)
		one, two := record(id, 0, 1), record(id, 2)
		applied, _, err := store.CommitRound(t.Context(), id, 1, []booking.Change{holdOf(one), holdOf(two)})
		if err != nil || !applied {
			t.Fatalf("first round: %v %v", applied, err)
		}
		block, err := store.ReadBlock(t.Context(), id)
		if err != nil || block.Version != 2 || len(block.Seats) != 5 {
			t.Fatalf("block after it: %+v %v", block, err)
		}
		if block.Seats[0].Owner != one.ID || block.Seats[2].Owner != two.ID || block.Seats[3].Owner != uuid.Nil {
			t.Errorf("owners: %+v", block.Seats)
		}
		applied, current, err := store.CommitRound(t.Context(), id, 1, []booking.Change{holdOf(record(id, 3))})
		if err != nil || applied || current.Version != 2 {
			t.Errorf("a round of an old version: %v %+v %v", applied, current, err)
		}
	})

	t.Run("a refused round changes nothing and says why", func(t *testing.T) {
		id := newBlock(t, store, 5)
		first := record(id, 0)
		if applied, _, err := store.CommitRound(t.Context(), id, 1, []booking.Change{holdOf(first)}); err != nil || !applied {
			t.Fatal(applied, err)
		}
		free, taken := record(id, 3), record(id, 0, 1)
		applied, current, err := store.CommitRound(t.Context(), id, 2, []booking.Change{holdOf(free), holdOf(taken)})
		if err != nil || applied {
			t.Fatalf("seat 0 was sold twice: %v", err)
		}
		want := map[int]uuid.UUID{0: first.ID, 1: uuid.Nil, 3: uuid.Nil}
		if diff := cmp.Diff(want, current.Owners); diff != "" {
			t.Errorf("owners: %s", diff)
		}
		rec, err := store.ReadBooking(t.Context(), booking.Ref{BlockID: id, ID: free.ID}, true)
		if err != nil || rec.Revision != 0 {
			t.Errorf("a refused booking is there: %+v %v", rec, err)
		}
		applied, current, err = store.CommitRound(t.Context(), id, 2, []booking.Change{holdOf(first)})
		if err != nil || applied || current.Revisions[first.ID] != 1 {
			t.Errorf("the same booking again: %v %+v %v", applied, current, err)
		}
	})

	t.Run("a seat without a row is refused", func(t *testing.T) {
		id := newBlock(t, store, 2)
		applied, current, err := store.CommitRound(t.Context(), id, 1, []booking.Change{holdOf(record(id, 2))})
		if _, exists := current.Owners[2]; err != nil || applied || exists {
			t.Errorf("%v %+v %v", applied, current, err)
		}
		if _, exists := current.Owners[0]; exists {
			t.Error("seat 0 was not asked for")
		}
	})

	t.Run("a record comes back as it was written", func(t *testing.T) {
		id := newBlock(t, store, 2)
		rec := record(id, 0, 1)
		if _, _, err := store.CommitRound(t.Context(), id, 1, []booking.Change{holdOf(rec)}); err != nil {
			t.Fatal(err)
		}
		read, err := store.ReadBooking(t.Context(), rec.Ref(), false)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rec, read); diff != "" {
			t.Error(diff)
		}
		all, err := store.ReadBookings(t.Context(), id)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d bookings, %v", len(all), err)
		}
		if diff := cmp.Diff(rec, all[0]); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("messages leave the outbox alone", func(t *testing.T) {
		id := newBlock(t, store, 2)
		rec, other := record(id, 0), record(id, 1)
		if _, _, err := store.CommitRound(t.Context(), id, 1, []booking.Change{holdOf(rec), holdOf(other)}); err != nil {
			t.Fatal(err)
		}
		sent := booking.Record{Booking: booking.Booking{ID: rec.ID}, Revision: rec.Revision}
		outboxOnly := booking.Change{Booking: &booking.BookingChange{From: rec.Revision, To: sent}}
		if applied, _, err := store.CommitRound(t.Context(), id, 2, []booking.Change{outboxOnly}); err != nil || !applied {
			t.Fatal(applied, err)
		}
		unsent, err := store.ReadUnsent(t.Context(), id)
		if diff := cmp.Diff([]booking.Record{other}, unsent); err != nil || diff != "" {
			t.Error(diff, err)
		}
		rec.Outbox = nil
		read, err := store.ReadBooking(t.Context(), rec.Ref(), true)
		if diff := cmp.Diff(rec, read); err != nil || diff != "" {
			t.Error(diff, err)
		}
	})

	t.Run("a block is made once", func(t *testing.T) {
		id := newBlock(t, store, 3)
		if _, _, err := store.CommitRound(t.Context(), id, 1, []booking.Change{holdOf(record(id, 0))}); err != nil {
			t.Fatal(err)
		}
		if err := store.CreateBlock(t.Context(), id, make([]booking.Seat, 3)); err != nil {
			t.Fatal(err)
		}
		block, err := store.ReadBlock(t.Context(), id)
		if err != nil || block.Version != 2 || block.Seats[0].Owner == uuid.Nil {
			t.Errorf("%+v %v", block, err)
		}
		versions, err := store.ReadVersions(t.Context(), id.Event, 2)
		if diff := cmp.Diff([]int64{2, 0}, versions); err != nil || diff != "" {
			t.Error(diff, err)
		}
	})

	t.Run("of twenty rounds for one seat one is made", func(t *testing.T) {
		id := newBlock(t, store, 1)
		var mu sync.Mutex
		won := 0
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				rec := record(id, 0)
				applied, _, err := store.CommitRound(t.Context(), id, 1, []booking.Change{holdOf(rec)})
				if err != nil {
					// Too many proposers at once: what came of it must be read.
					made, err := store.ReadBooking(t.Context(), rec.Ref(), true)
					applied = err == nil && made.Revision == 1
				}
				mu.Lock()
				defer mu.Unlock()
				if applied {
					won++
				}
			})
		}
		group.Wait()
		if won != 1 {
			t.Errorf("%d winners", won)
		}
	})

	t.Run("bookings are found by user and by key", func(t *testing.T) {
		user, id := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
		entry := booking.IndexEntry{
			Ref: booking.Ref{BlockID: booking.BlockID{Event: uuid.Must(uuid.NewV7()), Block: 7}, ID: id}, UserID: user, CreatedAt: 1234567890123,
		}
		if err := store.IndexKey(t.Context(), entry, "k", []byte{1, 2}); err != nil {
			t.Fatal(err)
		}
		ref, found, err := store.FindBooking(t.Context(), user, id)
		if err != nil || !found || ref != entry.Ref {
			t.Errorf("by user: %+v %v %v", ref, found, err)
		}
		if _, found, err := store.FindBooking(t.Context(), id, id); err != nil || found {
			t.Errorf("by another user: %v %v", found, err)
		}
		ref, hash, found, err := store.FindKey(t.Context(), user, "k")
		if err != nil || !found || ref != entry.Ref || !cmp.Equal(hash, []byte{1, 2}) {
			t.Errorf("by key: %+v %v %v %v", ref, hash, found, err)
		}
		other := entry
		other.ID = uuid.Must(uuid.NewV7())
		if err := store.IndexBookings(t.Context(), []booking.IndexEntry{entry, other}); err != nil {
			t.Fatal(err)
		}
		all, err := store.UserBookings(t.Context(), user)
		byID := cmpopts.SortSlices(func(a, b booking.IndexEntry) bool { return a.ID.String() < b.ID.String() })
		if diff := cmp.Diff([]booking.IndexEntry{entry, other}, all, byID); err != nil || diff != "" {
			t.Error(diff, err)
		}
	})

	t.Run("the newest definition of an event stays", func(t *testing.T) {
		def := Definition(1)
		for _, version := range []int64{1, 3, 2} {
			def.Version = version
			e, err := booking.NewEvent(def)
			if err != nil {
				t.Fatal(err)
			}
			if err := store.SaveEvent(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		e, err := store.ReadEvent(t.Context(), def.EventID)
		if err != nil || e.Version != 3 || e.BlockCount() != 1 {
			t.Errorf("%+v %v", e, err)
		}
		if e, err := store.ReadEvent(t.Context(), uuid.Must(uuid.NewV7())); err != nil || e != nil {
			t.Errorf("an event that does not exist: %v %v", e, err)
		}
		versions, err := store.EventVersions(t.Context())
		if err != nil || versions[def.EventID] != 3 {
			t.Errorf("%v %v", versions, err)
		}
	})

	conformingDoors(t, store)
}

func newBlock(t *testing.T, store booking.Store, seats int) booking.BlockID {
	t.Helper()
	id := booking.BlockID{Event: uuid.Must(uuid.NewV7()), Block: 1}
	if err := store.CreateBlock(t.Context(), id, make([]booking.Seat, seats)); err != nil {
		t.Fatal(err)
	}
	return id
}

func record(id booking.BlockID, seats ...int) booking.Record {
	now := time.Now().UTC().Truncate(time.Millisecond)
	rec := booking.Record{Revision: 1, UpdatedAt: now, Booking: booking.Booking{
		ID: uuid.Must(uuid.NewV7()), Home: id, UserID: uuid.Must(uuid.NewV7()), EventName: "Concert", Status: booking.Held,
		Total: events.Money{Amount: 100, Currency: "EUR"}, CreatedAt: now, ExpiresAt: now.Add(time.Minute),
	}}
	for _, i := range seats {
		rec.Seats = append(rec.Seats, booking.BookedSeat{ID: booking.SeatID{Block: id.Block, Index: i}, Number: "1", Price: 50})
	}
	rec.Outbox = []booking.Message{{ID: uuid.Must(uuid.NewV7()), Topic: "t", Type: "y", Time: now, Data: []byte(`{"a":1}`)}}
	return rec
}

func holdOf(rec booking.Record) booking.Change {
	ch := booking.Change{Booking: &booking.BookingChange{To: rec}}
	for _, s := range rec.Seats {
		ch.Seats = append(ch.Seats, booking.SeatChange{
			Index: s.ID.Index, To: booking.Seat{Owner: rec.ID, Deadline: rec.ExpiresAt.UnixMilli(), Home: int32(rec.Home.Block), State: booking.HeldSeat},
		})
	}
	return ch
}

// Definition is an event on sale with blocks of two rows of ten seats in
// category A.
func Definition(blocks int) events.EventChanged {
	now := time.Now().UTC().Truncate(time.Second)
	def := events.EventChanged{
		EventID: uuid.Must(uuid.NewV7()), Version: 1, Status: events.EventPublished, OrganizerID: uuid.Must(uuid.NewV7()),
		Name: "Concert", VenueName: "Hall", TimeZone: "Europe/Berlin", Currency: "EUR",
		StartsAt: now.Add(48 * time.Hour), EndsAt: now.Add(50 * time.Hour), SaleStartsAt: now.Add(-time.Hour), SaleEndsAt: now.Add(24 * time.Hour),
		MaxSeatsPerBuyer: 8, HoldSeconds: 60,
		TicketTypes: []events.TicketType{{ID: "stalls", Name: "Stalls", Category: "A", Price: 5000}},
	}
	for range blocks {
		def.Blocks = append(def.Blocks, events.Block{Section: "Stalls", Rows: []events.Row{
			{Label: "A", First: 1, Runs: []events.Run{{Category: "A", Count: 10}}},
			{Label: "B", First: 1, Runs: []events.Run{{Category: "A", Count: 10}}},
		}})
	}
	return def
}
