package cassandra

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// open returns a store with its own keyspace, which is dropped when the test
// ends.
func open(t *testing.T) *Store {
	t.Helper()
	cfg := Config{Hosts: testkit.Cassandra(t), Keyspace: testkit.Unique("store"), Replication: 1}
	var group sync.WaitGroup
	for range 2 { // as two replicas do during a deployment
		group.Go(func() {
			if err := Migrate(t.Context(), cfg); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	store := New(cfg)
	t.Cleanup(func() {
		if err := store.exec(context.Background(), "drop keyspace", "DROP KEYSPACE "+cfg.Keyspace); err != nil {
			t.Log(err)
		}
		store.Close()
	})
	return store
}

// newID returns the id of a log. Half of them are negative as a bigint.
func newID() eventlog.ID { return eventlog.ID(rand.Uint64()) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	store := open(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Store)
	}{
		{"MigrateRecordsEachMigrationOnce", migrateRecordsEachMigrationOnce},
		{"AppendAtSameHeadHasOneWinner", appendAtSameHeadHasOneWinner},
		{"AppendRefusesSameEntryAgain", appendRefusesSameEntryAgain},
		{"AppendRefusesHeadOfAbsentLog", appendRefusesHeadOfAbsentLog},
		{"AppendOfUnreachableStoreIsUnavailable", appendOfUnreachableStoreIsUnavailable},
		{"AppendTakesLargeEntry", appendTakesLargeEntry},
		{"ReadPagesInOrder", readPagesInOrder},
		{"SnapshotRoundTripAndNewestWins", snapshotRoundTripAndNewestWins},
		{"SnapshotWithoutPart0IsNotFound", snapshotWithoutPart0IsNotFound},
		{"SnapshotWithMissingPartGivesWay", snapshotWithMissingPartGivesWay},
		{"CursorRoundTrip", cursorRoundTrip},
		{"SaveEventReplacesEnd", saveEventReplacesEnd},
		{"UserBookingsRoundTrip", userBookingsRoundTrip},
		{"ClockFollowsCluster", clockFollowsCluster},
		{"CheckAcceptsTestCluster", checkAcceptsTestCluster},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, store) })
	}
}

func migrateRecordsEachMigrationOnce(t *testing.T, store *Store) {
	read := func() map[int]time.Time {
		iter, err := store.query(t.Context(), 100, `SELECT id, applied_at FROM schema_migrations`)
		check(t, err)
		recorded := map[int]time.Time{}
		var id int
		var at time.Time
		for iter.Scan(&id, &at) {
			recorded[id] = at
		}
		check(t, iter.Close())
		return recorded
	}
	before := read()
	if len(before) != len(migrations) {
		t.Fatalf("%d migrations recorded, want %d", len(before), len(migrations))
	}
	check(t, Migrate(t.Context(), store.cfg))
	for id, at := range read() {
		if !at.Equal(before[id]) {
			t.Errorf("migration %d was applied again", id)
		}
	}
}

func appendAtSameHeadHasOneWinner(t *testing.T, store *Store) {
	const writers, rounds = 16, 5
	id := newID()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for head := range int64(rounds) {
		var won atomic.Int64
		var winner atomic.Pointer[[]byte]
		var group sync.WaitGroup
		for writer := range writers {
			group.Go(func() {
				data := fmt.Appendf(nil, "%d from %d", head+1, writer)
				for {
					applied, err := store.Append(ctx, id, head, data)
					if errors.Is(err, eventlog.ErrUnknown) && ctx.Err() == nil {
						continue // Cassandra may give up under contention
					}
					if err != nil {
						t.Error(err)
						return
					}
					if !applied {
						// Paxos may have applied the entry before it reported
						// it as refused.
						stored, err := store.Read(ctx, id, head, 1)
						if err != nil || len(stored) == 0 {
							t.Errorf("refused at head %d, but entry %d is missing: %v", head, head+1, err)
							return
						}
						applied = bytes.Equal(stored[0].Data, data)
					}
					if applied {
						won.Add(1)
						winner.Store(&data)
					}
					return
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d writers won at head %d, want 1", won.Load(), head)
		}
		for _, serial := range []bool{true, false} {
			got, err := store.Head(ctx, id, serial)
			check(t, err)
			if got != head+1 {
				t.Fatalf("head (serial %t) is %d, want %d", serial, got, head+1)
			}
		}
		stored, err := store.Read(ctx, id, head, 10)
		check(t, err)
		if len(stored) != 1 || stored[0].Seq != head+1 || !bytes.Equal(stored[0].Data, *winner.Load()) {
			t.Fatalf("after head %d the log has %v, want %q", head, stored, *winner.Load())
		}
	}
}

func appendRefusesSameEntryAgain(t *testing.T, store *Store) {
	id := newID()
	for _, want := range []bool{true, false} {
		applied, err := store.Append(t.Context(), id, 0, []byte("entry"))
		check(t, err)
		if applied != want {
			t.Fatalf("applied is %t, want %t", applied, want)
		}
	}
	head, err := store.Head(t.Context(), id, true)
	check(t, err)
	stored, err := store.Read(t.Context(), id, 0, 10)
	check(t, err)
	if head != 1 || len(stored) != 1 || string(stored[0].Data) != "entry" {
		t.Fatalf("head %d, entries %v, want one entry", head, stored)
	}
}

func appendRefusesHeadOfAbsentLog(t *testing.T, store *Store) {
	id := newID()
	applied, err := store.Append(t.Context(), id, 7, []byte("entry"))
	check(t, err)
	head, err := store.Head(t.Context(), id, true)
	check(t, err)
	if applied || head != 0 {
		t.Fatalf("applied %t, head %d, want a refusal and no log", applied, head)
	}
}

func appendOfUnreachableStoreIsUnavailable(t *testing.T, _ *Store) {
	away := New(Config{Hosts: testkit.FreeAddr(t), Keyspace: "absent"})
	for range 2 { // the second one gets the error of the first
		_, err := away.Append(t.Context(), newID(), 0, []byte("entry"))
		if !errors.Is(err, eventlog.ErrUnavailable) || errors.Is(err, eventlog.ErrUnknown) {
			t.Fatalf("error is %v, want ErrUnavailable", err)
		}
	}
}

func appendTakesLargeEntry(t *testing.T, store *Store) {
	id, data := newID(), randomBytes(1<<20) // such as the definition of a large event
	applied, err := store.Append(t.Context(), id, 0, data)
	check(t, err)
	stored, err := store.Read(t.Context(), id, 0, 1)
	check(t, err)
	if !applied || len(stored) != 1 || !bytes.Equal(stored[0].Data, data) {
		t.Fatal("the entry read is not the entry appended")
	}
}

func readPagesInOrder(t *testing.T, store *Store) {
	const entries = entriesPage + entriesPage/2
	id := newID()
	for seq := range int64(entries) {
		applied, err := store.Append(t.Context(), id, seq, fmt.Append(nil, seq+1))
		check(t, err)
		if !applied {
			t.Fatalf("entry %d was refused", seq+1)
		}
	}
	for _, test := range []struct {
		after int64
		limit int
		want  int
	}{{0, 1000, entries}, {0, entriesPage + 1, entriesPage + 1}, {entries - 3, 10, 3}, {5, 1, 1}, {entries, 10, 0}} {
		stored, err := store.Read(t.Context(), id, test.after, test.limit)
		check(t, err)
		if len(stored) != test.want {
			t.Fatalf("%d entries after %d, limit %d, want %d", len(stored), test.after, test.limit, test.want)
		}
		for i, e := range stored {
			want := test.after + int64(i) + 1
			if e.Seq != want || string(e.Data) != fmt.Sprint(want) {
				t.Fatalf("entry %d is %d %q", want, e.Seq, e.Data)
			}
		}
	}
}

func snapshotRoundTripAndNewestWins(t *testing.T, store *Store) {
	id := newID()
	saved := map[int64][]byte{}
	for _, seq := range []int64{10, 20, 5, 30} { // 5 comes from a lagging replica
		saved[seq] = randomBytes(3_000_000)
		check(t, store.SaveSnapshot(t.Context(), id, seq, saved[seq]))
		newest := seq
		if seq == 5 {
			newest = 20
		}
		loadsSnapshot(t, store, id, newest, saved[newest])
	}
	left, err := store.snapshots(t.Context(), id, 1, 100)
	check(t, err)
	if len(left) != 2 || left[0].seq != 30 || left[1].seq != 20 {
		t.Fatalf("snapshots %v are left, want those of 30 and 20", left)
	}
}

func snapshotWithoutPart0IsNotFound(t *testing.T, store *Store) {
	id := newID()
	incomplete := func(seq int64) { // the writer crashed before it wrote part 0
		check(t, store.exec(t.Context(), "", `INSERT INTO snapshots (event, part, seq, parts, data) VALUES (?, 1, ?, 1, ?)`,
			int64(id), seq, []byte("all data")))
	}
	loadsSnapshot(t, store, id, 0, nil)
	incomplete(10)
	loadsSnapshot(t, store, id, 0, nil)
	check(t, store.SaveSnapshot(t.Context(), id, 20, []byte("whole")))
	incomplete(25)
	loadsSnapshot(t, store, id, 20, []byte("whole"))
	check(t, store.SaveSnapshot(t.Context(), id, 30, nil))
	loadsSnapshot(t, store, id, 30, nil)
	left, err := store.snapshots(t.Context(), id, 1, 20)
	check(t, err)
	if len(left) != 0 {
		t.Fatalf("incomplete snapshots %v are left", left)
	}
}

func snapshotWithMissingPartGivesWay(t *testing.T, store *Store) {
	id := newID()
	older := randomBytes(partSize + 1)
	check(t, store.SaveSnapshot(t.Context(), id, 10, older))
	check(t, store.SaveSnapshot(t.Context(), id, 20, randomBytes(2*partSize)))
	check(t, store.exec(t.Context(), "", `DELETE FROM snapshots WHERE event = ? AND part = 2 AND seq = 20`, int64(id)))
	loadsSnapshot(t, store, id, 10, older)
}

func loadsSnapshot(t *testing.T, store *Store, id eventlog.ID, wantSeq int64, want []byte) {
	t.Helper()
	seq, data, err := store.LoadSnapshot(t.Context(), id)
	check(t, err)
	if seq != wantSeq || !bytes.Equal(data, want) {
		t.Fatalf("loaded snapshot %d of %d bytes, want %d of %d", seq, len(data), wantSeq, len(want))
	}
}

func cursorRoundTrip(t *testing.T, store *Store) {
	id := newID()
	for _, want := range []int64{0, 7, 9} {
		if want > 0 {
			check(t, store.SetPublished(t.Context(), id, want))
		}
		if want > 7 {
			check(t, store.SetListed(t.Context(), id, want-1))
		}
		published, listed, err := store.Cursors(t.Context(), id)
		check(t, err)
		if wantListed := max(0, want-8) * 8; published != want || listed != wantListed {
			t.Fatalf("cursors are %d and %d, want %d and %d", published, listed, want, wantListed)
		}
	}
}

func saveEventReplacesEnd(t *testing.T, store *Store) {
	end := time.Date(2030, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	want := map[uuid.UUID]time.Time{}
	for range 3 {
		want[uuid.New()] = end.Add(time.Hour)
	}
	for _, end := range []time.Time{end, end.Add(time.Hour)} {
		for event := range want {
			check(t, store.SaveEvent(t.Context(), eventlog.ListedEvent{Event: event, EndsAt: end}))
		}
	}
	listed, err := store.Events(t.Context())
	check(t, err)
	if len(listed) != len(want) {
		t.Fatalf("%d events are listed, want %d", len(listed), len(want))
	}
	for _, e := range listed {
		if !e.EndsAt.Equal(want[e.Event]) {
			t.Errorf("event %s ends at %v, want %v", e.Event, e.EndsAt, want[e.Event])
		}
	}
}

func userBookingsRoundTrip(t *testing.T, store *Store) {
	const users, each = 100, 5
	rows := make([]eventlog.UserBooking, 0, users*each+userBookingsPage+50)
	add := func(user uuid.UUID, n, size int) {
		for range n {
			rows = append(rows, eventlog.UserBooking{User: user, Booking: uuid.New(), Seq: 2, Data: randomBytes(size)})
		}
	}
	for range users {
		add(uuid.New(), each, 1500)
	}
	add(uuid.New(), userBookingsPage+50, 1500) // several pages and batches
	add(uuid.New(), 2, 2*batchBytes)           // larger than a batch
	check(t, store.SaveBookings(t.Context(), rows))
	rows[0].Seq, rows[0].Data = 3, []byte("newer")
	check(t, store.SaveBookings(t.Context(), rows[:1]))
	late := rows[1]
	late.Seq, late.Data = 1, []byte("older, written last")
	check(t, store.SaveBookings(t.Context(), []eventlog.UserBooking{late}))
	check(t, store.SaveBookings(t.Context(), nil))

	want := map[uuid.UUID]map[uuid.UUID][]byte{uuid.New(): nil} // a user without bookings
	for _, row := range rows {
		if want[row.User] == nil {
			want[row.User] = map[uuid.UUID][]byte{}
		}
		want[row.User][row.Booking] = row.Data
	}
	for user, bookings := range want {
		got, err := store.UserBookings(t.Context(), user)
		check(t, err)
		if len(got) != len(bookings) {
			t.Fatalf("user %s has %d bookings, want %d", user, len(got), len(bookings))
		}
		for _, row := range got {
			if row.User != user || !bytes.Equal(row.Data, bookings[row.Booking]) {
				t.Fatalf("booking %s of user %s is not as saved", row.Booking, user)
			}
		}
	}
}

func clockFollowsCluster(t *testing.T, store *Store) {
	clock := NewClock(store)
	clock.base = clock.base.Add(-time.Hour)
	testkit.Eventually(t, "the clock is set", func() bool { return clock.Set(t.Context()) == nil })
	if off := time.Since(clock.Now()).Abs(); off > time.Second {
		t.Fatalf("the clock is %v off", off) // the cluster is on this machine
	}
}

func checkAcceptsTestCluster(t *testing.T, store *Store) {
	check(t, store.Check(t.Context()))
}

func TestCheckSettings(t *testing.T) {
	for _, test := range []struct {
		commitlogSync, paxosVariant string
		safe                        bool
	}{
		{"batch", "v2", true},
		{"group", "v1", false},
		{"group", "", true},
		{"periodic", "v2", false},
		{"", "v2", false},
		{"batch", "v1_without_linearizable_reads_or_rejected_writes", false},
		{"batch", "v2_without_linearizable_reads", false},
	} {
		err := checkSettings(test.commitlogSync, test.paxosVariant)
		if (err == nil) != test.safe || err != nil && !errors.Is(err, ErrUnsafe) {
			t.Errorf("commitlog_sync %q, paxos_variant %q: %v", test.commitlogSync, test.paxosVariant, err)
		}
	}
}

func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		err  error
		want error
	}{
		{gocql.ErrNoConnections, eventlog.ErrUnavailable},
		{gocql.ErrSessionClosed, eventlog.ErrUnavailable},
		{fmt.Errorf("wrapped: %w", &gocql.RequestErrUnavailable{}), eventlog.ErrUnavailable},
		{&gocql.RequestErrWriteTimeout{}, eventlog.ErrUnknown},
		{&gocql.RequestErrCASWriteUnknown{}, eventlog.ErrUnknown},
		{gocql.ErrTimeoutNoResponse, eventlog.ErrUnknown},
		{gocql.ErrConnectionClosed, eventlog.ErrUnknown},
		{context.DeadlineExceeded, eventlog.ErrUnknown},
		{errNoAnswer, eventlog.ErrUnknown},
	} {
		got := outcome("append entry", test.err)
		if !errors.Is(got, test.want) || !errors.Is(got, test.err) || errors.Is(got, eventlog.ErrUnknown) == errors.Is(got, eventlog.ErrUnavailable) {
			t.Errorf("outcome of %v is %v, want %v", test.err, got, test.want)
		}
	}
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	return data
}
