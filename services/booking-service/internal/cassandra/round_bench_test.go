package cassandra

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// BenchmarkRound compares, in turns, two ways to make 50 holds of two seats
// durable with their bookings and messages: one conditional batch that has all
// of it, as CommitRound does; and the seats in one conditional batch, then a
// logged batch for each booking (its row, its row by user, its message). It
// prints holds a second of both and their ratio.
func BenchmarkRound(b *testing.B) {
	const holds = 50
	cfg := Config{Hosts: testkit.Cassandra(b), Keyspace: testkit.Unique("bench"), Replication: 1}
	if err := Migrate(b.Context(), cfg); err != nil {
		b.Fatal(err)
	}
	store := New(cfg)
	defer store.Close()
	session, err := store.connect()
	if err != nil {
		b.Fatal(err)
	}
	for _, table := range []string{
		`CREATE TABLE bench_bookings (id uuid PRIMARY KEY, status text, doc text)`,
		`CREATE TABLE bench_outbox (shard int, id uuid, doc text, PRIMARY KEY (shard, id))`,
	} {
		if err := session.Query(table).Exec(); err != nil {
			b.Fatal(err)
		}
	}
	round := func() (booking.BlockID, []booking.Change) {
		id := booking.BlockID{Event: uuid.New(), Block: 1}
		if err := store.CreateBlock(b.Context(), id, make([]booking.Seat, 2*holds)); err != nil {
			b.Fatal(err)
		}
		changes := make([]booking.Change, holds)
		for i := range changes {
			rec := booking.Record{Revision: 1, UpdatedAt: time.Now()}
			rec.ID, rec.Home, rec.UserID, rec.Status, rec.EventName = uuid.New(), id, uuid.New(), booking.Held, "Concert"
			rec.Outbox = []booking.Message{{ID: uuid.New(), Topic: "booking_created", Data: make([]byte, 300)}}
			for k := range 2 {
				seat := booking.SeatID{Block: 1, Index: 2*i + k}
				rec.Seats = append(rec.Seats, booking.BookedSeat{ID: seat, Section: "Stalls", Row: "A", Number: "12", TicketTypeID: "stalls", TicketTypeName: "Stalls"})
				changes[i].Seats = append(changes[i].Seats, booking.SeatChange{Index: seat.Index, To: booking.Seat{Owner: rec.ID, Home: 1, State: booking.HeldSeat}})
			}
			changes[i].Booking = &booking.BookingChange{To: rec}
		}
		return id, changes
	}
	apart := func(ctx context.Context, id booking.BlockID, changes []booking.Change) error {
		seats := make([]booking.Change, len(changes))
		for i, ch := range changes {
			seats[i].Seats = ch.Seats
		}
		if _, _, err := store.CommitRound(ctx, id, 1, seats); err != nil {
			return err
		}
		errs := make([]error, len(changes))
		var group sync.WaitGroup
		for i, ch := range changes {
			group.Go(func() {
				rec := &ch.Booking.To
				doc, err := json.Marshal(&rec.Booking)
				if err != nil {
					errs[i] = err
					return
				}
				outbox, err := encodeOutbox(rec.Outbox)
				if err != nil {
					errs[i] = err
					return
				}
				key := gocql.UUID(rec.ID)
				batch := session.NewBatch(gocql.LoggedBatch).WithContext(ctx)
				batch.Query(`INSERT INTO bench_bookings (id, status, doc) VALUES (?, ?, ?)`, key, "held", string(doc))
				batch.Query(`INSERT INTO bookings_by_user (user_id, booking_id, event_id, home_block) VALUES (?, ?, ?, 1)`,
					gocql.UUID(rec.UserID), key, gocql.UUID(id.Event))
				batch.Query(`INSERT INTO bench_outbox (shard, id, doc) VALUES (?, ?, ?)`, i%16, key, outbox)
				errs[i] = session.ExecuteBatch(batch)
			})
		}
		group.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
	together := func(ctx context.Context, id booking.BlockID, changes []booking.Change) error {
		_, _, err := store.CommitRound(ctx, id, 1, changes)
		if err != nil {
			return err
		}
		entries := make([]booking.IndexEntry, len(changes))
		for i, ch := range changes {
			entries[i] = booking.IndexEntry{Ref: ch.Booking.To.Ref(), UserID: ch.Booking.To.UserID}
		}
		return store.IndexBookings(ctx, entries)
	}
	var took [2]time.Duration
	for b.Loop() {
		for way, commit := range []func(context.Context, booking.BlockID, []booking.Change) error{together, apart} {
			id, changes := round()
			start := time.Now()
			if err := commit(b.Context(), id, changes); err != nil {
				b.Fatal(err)
			}
			took[way] += time.Since(start)
		}
	}
	n := float64(b.N * holds)
	b.ReportMetric(n/took[0].Seconds(), "together/s")
	b.ReportMetric(n/took[1].Seconds(), "apart/s")
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio")
}
