package eventlog

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// simulation is two or more replicas over one store.
type simulation struct {
	t       *testing.T
	store   *memory
	kafka   *kafka
	engines []*Engine
	def     events.EventChanged
	// owner is the replica that owns the log; -1 means that each believes it
	// does.
	owner int
	// lossPercent is the probability in percent that an entry does not reach the other
	// replicas, or a forwarded batch its owner.
	lossPercent int
	random      *rand.Rand
	mu          sync.Mutex
}

// replica is one replica's view of the others.
type replica struct {
	sim  *simulation
	self int
}

func (r replica) Owner(ID) string {
	r.sim.mu.Lock()
	defer r.sim.mu.Unlock()
	if r.sim.owner < 0 || r.sim.owner == r.self {
		return ""
	}
	return fmt.Sprint(r.sim.owner)
}

func (r replica) Send(ctx context.Context, addr string, commands []*logpb.Command) ([]*logpb.Answer, bool, error) {
	if r.sim.drops() {
		return nil, false, errors.New("refused")
	}
	var n int
	_, _ = fmt.Sscan(addr, &n)
	answers := r.sim.engines[n].Receive(ctx, commands)
	if r.sim.drops() {
		return nil, true, errors.New("answer lost")
	}
	return answers, true, nil
}

func (r replica) Publish(id ID, e Stored) {
	for i, engine := range r.sim.engines {
		if i != r.self && !r.sim.drops() {
			engine.Follow(id, e)
		}
	}
}

// drops reports whether the network loses a message.
func (w *simulation) drops() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(100) < w.lossPercent
}

// entries returns the stored log.
func (w *simulation) entries() []Stored {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	return slices.Clone(w.store.logs[w.id()])
}

// set changes the failure rates and the log's owner.
func (w *simulation) set(failurePercent, lossPercent, owner int) {
	w.store.mu.Lock()
	w.store.failurePercent = failurePercent
	w.store.mu.Unlock()
	w.kafka.setFailures(failurePercent)
	w.mu.Lock()
	w.lossPercent, w.owner = lossPercent, owner
	w.mu.Unlock()
}

func newSimulation(t *testing.T, seed uint64, replicas int) *simulation {
	t.Helper()
	now := time.Now().UTC()
	w := &simulation{
		t: t, store: newMemory(seed), kafka: &kafka{random: rand.New(rand.NewPCG(seed, 1))}, random: rand.New(rand.NewPCG(seed, 2)),
		def: events.EventChanged{
			EventID: uuid.Must(uuid.NewV7()), Version: 1, Status: events.StatusPublished, Name: "Concert", Currency: "EUR",
			StartsAt: now.Add(48 * time.Hour), EndsAt: now.Add(50 * time.Hour), SaleStartsAt: now.Add(-time.Hour), SaleEndsAt: now.Add(24 * time.Hour),
			MaxSeatsPerBuyer: 8, HoldSeconds: 30, TicketTypes: []events.TicketType{{ID: "a", Name: "A", Category: "A", Price: 100}},
			Blocks: []events.Block{{Section: "Stalls", Rows: []events.Row{{Label: "A", First: 1, Runs: []events.Run{{Category: "A", Count: 12}}}}}},
		},
	}
	for i := range replicas {
		w.engines = append(w.engines, New(w.store, replica{w, i}, w.kafka, replica{w, i}, clock.System{}, 500*time.Millisecond))
	}
	w.retry(func(ctx context.Context) error { _, err := w.engines[0].Define(ctx, w.def); return err })
	return w
}

// retry calls do until it succeeds.
func (w *simulation) retry(do func(context.Context) error) {
	w.t.Helper()
	for range 50 {
		ctx, cancel := context.WithTimeout(w.t.Context(), 8*time.Second)
		err := do(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	w.t.Fatal("failed 50 times")
}

func (w *simulation) close() {
	var group sync.WaitGroup
	for _, e := range w.engines {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			_ = e.Close(ctx)
		})
	}
	group.Wait()
}

func (w *simulation) id() ID { return IDOf(w.def.EventID) }

func (w *simulation) hold(n int, own uint64, user uuid.UUID, seats ...uint32) (*logpb.Answer, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 8*time.Second)
	defer cancel()
	return w.engines[n].Do(ctx, &logpb.Command{Event: uint64(w.id()), Kind: &logpb.Command_Hold{Hold: &logpb.Hold{
		Booking: own, User: user[:], Seats: seats, Event: w.def.EventID[:],
	}}})
}

func (w *simulation) pay(n int, own uint64, payment uuid.UUID) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 8*time.Second)
	defer cancel()
	_, err := w.engines[n].Do(ctx, &logpb.Command{Event: uint64(w.id()), Kind: &logpb.Command_Payment{Payment: &logpb.Payment{
		Booking: own, Payment: payment[:], Outcome: logpb.Payment_CONFIRMED,
	}}})
	return err
}

// fold checks the log independently: each seat has one owner at a time, and
// only a held booking is confirmed. It returns the bookings' statuses.
func (w *simulation) fold() map[uint64]string {
	w.t.Helper()
	owner, status, seats := map[uint32]uint64{}, map[uint64]string{}, map[uint64][]uint32{}
	for i, stored := range w.entries() {
		var entry logpb.Entry
		if err := proto.Unmarshal(stored.Data, &entry); err != nil || stored.Seq != int64(i)+1 {
			w.t.Fatalf("entry %d: %v", i+1, err)
		}
		for _, op := range entry.GetOperations() {
			switch op := op.GetKind().(type) {
			case *logpb.Operation_Held:
				own := op.Held.GetBooking()
				if status[own] != "" {
					w.t.Errorf("booking %x is held twice", own)
				}
				for _, n := range op.Held.GetSeats() {
					if owner[n] != 0 {
						w.t.Errorf("seat %d is sold twice: to %x and %x", n, owner[n], own)
					}
					owner[n] = own
				}
				status[own], seats[own] = "held", op.Held.GetSeats()
			case *logpb.Operation_Confirmed:
				if status[op.Confirmed.GetBooking()] != "held" {
					w.t.Errorf("booking %x is confirmed while %s", op.Confirmed.GetBooking(), status[op.Confirmed.GetBooking()])
				}
				status[op.Confirmed.GetBooking()] = "confirmed"
			case *logpb.Operation_Ended:
				own := op.Ended.GetBooking()
				if status[own] != "held" && status[own] != "confirmed" {
					w.t.Errorf("booking %x ends while %s", own, status[own])
				}
				for _, n := range seats[own] {
					delete(owner, n)
				}
				status[own] = op.Ended.GetStatus()
			}
		}
	}
	return status
}

// TestSimulation lets buyers compete for few seats at three replicas whose store
// loses responses and whose network loses messages, with changing owners. Every
// acknowledged change must be in the log, and every message in Kafka.
func TestSimulation(t *testing.T) {
	seeds := uint64(500)
	if testing.Short() {
		seeds = 5
	}
	unknown := 0
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { unknown += simulate(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if unknown == 0 {
		t.Error("no append ever had an unknown outcome")
	}
}

func simulate(t *testing.T, seed uint64) (unknown int) {
	t.Helper()
	w := newSimulation(t, seed, 3)
	w.set(30, 30, int(seed%4)-1)
	acknowledged := map[uint64]string{}
	refused := map[uint64]bool{}
	var mu sync.Mutex
	var buyers sync.WaitGroup
	for i := range 24 {
		random := rand.New(rand.NewPCG(seed, uint64(100+i)))
		buyers.Go(func() {
			time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
			own, user := uint64(i+1)|1<<63, uuid.New()
			first := uint32(random.IntN(11))
			var a *logpb.Answer
			err := errors.New("not tried")
			for try := 0; err != nil && try < 4; try++ {
				a, err = w.hold(random.IntN(3), own, user, first, first+1)
			}
			mu.Lock()
			if err == nil && a.GetRefusal() == "" {
				acknowledged[own] = "held"
			} else if err == nil {
				refused[own] = true
			}
			mu.Unlock()
			if err != nil || a.GetRefusal() != "" || random.IntN(3) == 0 {
				return
			}
			payment := uuid.New()
			if random.IntN(4) == 0 {
				time.Sleep(29900 * time.Millisecond) // to arrive at the deadline
			}
			for w.pay(random.IntN(3), own, payment) != nil {
			}
		})
	}
	buyers.Go(func() {
		for i := range 6 {
			time.Sleep(time.Second)
			w.mu.Lock()
			w.owner = (int(seed)+i)%4 - 1
			w.mu.Unlock()
		}
	})
	buyers.Wait()
	time.Sleep(40 * time.Second) // holds expire, late messages arrive
	w.set(0, 0, 0)
	w.store.mu.Lock()
	w.store.late = nil
	w.store.mu.Unlock()
	for _, e := range w.engines {
		if err := e.Sync(t.Context()); err != nil {
			t.Error(err)
		}
	}
	time.Sleep(10 * time.Second)
	status := w.fold()
	for own := range acknowledged {
		if status[own] == "" {
			t.Errorf("booking %x was acknowledged and is not in the log", own)
		}
	}
	for own := range refused {
		if status[own] != "" {
			t.Errorf("booking %x was refused and is in the log as %s", own, status[own])
		}
	}
	for own, s := range status {
		if s == "held" {
			t.Errorf("booking %x is held long after its deadline", own)
		}
	}
	w.checkReplicas()
	w.close()
	w.checkMessages(status)
	return w.store.unknown
}

// checkReplicas compares every replica's state with a replay of the log.
func (w *simulation) checkReplicas() {
	w.t.Helper()
	want := booking.NewState()
	for _, stored := range w.entries() {
		var entry logpb.Entry
		if err := proto.Unmarshal(stored.Data, &entry); err != nil {
			w.t.Fatal(err)
		}
		if err := want.Apply(stored.Seq, &entry); err != nil {
			w.t.Fatal(err)
		}
	}
	for i, e := range w.engines {
		err := e.Read(w.t.Context(), w.id(), func(s *booking.State) {
			if equal, err := s.Equal(want); err != nil || !equal {
				w.t.Errorf("replica %d at %d is not what the log up to %d makes: %v", i, s.Seq, want.Seq, err)
			}
		})
		if err != nil {
			w.t.Error(err)
		}
	}
}

// checkMessages compares Kafka and the users' lists with the log.
func (w *simulation) checkMessages(status map[uint64]string) {
	w.t.Helper()
	types := map[uint64]map[string]bool{}
	for _, m := range w.kafka.messages {
		own := binary.BigEndian.Uint64(m.Key[8:])
		if types[own] == nil {
			types[own] = map[string]bool{}
		}
		types[own][m.Type] = true
	}
	listed := map[uint64]string{}
	for _, rows := range w.store.users {
		for id, row := range rows {
			var b ListedBooking
			if err := json.Unmarshal(row.Data, &b); err != nil {
				w.t.Fatal(err)
			}
			listed[binary.BigEndian.Uint64(id[8:])] = string(b.Booking.Status)
		}
	}
	for own, s := range status {
		if listed[own] != s {
			w.t.Errorf("booking %x is %s and listed as %q", own, s, listed[own])
		}
		want := []string{events.TypeBookingCreated}
		switch s {
		case "confirmed":
			want = append(want, events.TypeBookingConfirmed)
		case "expired", "cancelled":
			want = append(want, events.TypeBookingCancelled)
		}
		for _, ceType := range want {
			if !types[own][ceType] {
				w.t.Errorf("booking %x is %s and Kafka has no %s", own, s, ceType)
			}
		}
	}
}

func TestManyHoldsShareAnEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, 1, 1)
		before := len(w.entries())
		w.store.block(make(chan struct{})) // the first round waits there, and the others behind it
		var group sync.WaitGroup
		for i := range 6 {
			group.Go(func() {
				if a, err := w.hold(0, uint64(i+1), uuid.New(), uint32(2*i), uint32(2*i+1)); err != nil || a.GetRefusal() != "" {
					t.Errorf("%v %v", a, err)
				}
			})
			synctest.Wait()
		}
		close(w.store.gate)
		group.Wait()
		if n := len(w.entries()) - before; n != 2 {
			t.Errorf("6 holds took %d entries", n)
		}
		w.close()
	})
}

func TestFullQueueIsOverloaded(t *testing.T) {
	l := newLog(&Engine{}, 1)
	for range maxQueue {
		if err := l.enqueue(newCall(t.Context(), nil)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.enqueue(newCall(t.Context(), nil)); !errors.Is(err, ErrOverloaded) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownOperationStopsTheEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, 1, 2)
		entry, err := proto.Marshal(&logpb.Entry{Id: []byte{1}, Operations: []*logpb.Operation{{}}})
		if err != nil {
			t.Fatal(err)
		}
		head := int64(len(w.entries()))
		w.store.mu.Lock()
		w.store.append(w.id(), head, entry)
		w.store.mu.Unlock()
		if _, err := w.hold(1, 1, uuid.New(), 1); !errors.Is(err, ErrUnavailable) {
			t.Errorf("a hold after an unknown operation: %v", err)
		}
		w.close()
	})
}

func TestWatcherContinuesWhereItLeftOff(t *testing.T) {
	h := &hub{watchers: map[*Watcher]struct{}{}}
	h.start(5)
	for seq := int64(6); seq < 10; seq++ {
		h.publish(&Delivery{Seq: seq, Seats: []booking.SeatChange{{}}})
	}
	for since, want := range map[int64]int{5: 4, 7: 2, 9: 0} {
		w, continued := h.watch(since)
		if !continued || len(w.C) != want {
			t.Errorf("since %d: continued %t with %d deliveries, want %d", since, continued, len(w.C), want)
		}
	}
	for _, since := range []int64{-1, 4, 10} {
		if _, continued := h.watch(since); continued {
			t.Errorf("since %d was continued", since)
		}
	}
}

func TestOverloadedOwnerIsNotBypassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, 1, 2)
		w.set(0, 0, 0)
		w.store.block(make(chan struct{})) // the owner's round waits there, and its queue is full below
		go func() { _, _ = w.hold(0, 1, uuid.New(), 1) }()
		synctest.Wait()
		l, err := w.engines[0].open(w.id())
		if err != nil {
			t.Fatal(err)
		}
		for l.enqueue(newCall(t.Context(), nil)) == nil {
		}
		head := len(w.entries())
		if _, err := w.hold(1, 2, uuid.New(), 2); !errors.Is(err, ErrOverloaded) {
			t.Errorf("a hold that the owner has no room for: %v", err)
		}
		if n := len(w.entries()); n != head {
			t.Errorf("%d entries were appended beside the owner", n-head)
		}
		close(w.store.gate)
		w.close()
	})
}

func TestUnreadableSnapshotIsNotNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, 1, 1)
		if _, err := w.hold(0, 1, uuid.New(), 3); err != nil {
			t.Fatal(err)
		}
		w.close()
		w.store.snapshots[w.id()] = Stored{Seq: 2, Data: []byte("not a snapshot")}
		w.engines[0] = New(w.store, replica{w, 0}, w.kafka, replica{w, 0}, clock.System{}, 500*time.Millisecond)
		if a, err := w.hold(0, 2, uuid.New(), 3); err != nil || a.GetRefusal() != string(booking.SeatsTaken) {
			t.Errorf("%v %v", a, err)
		}
		w.close()
	})
}

// A replica that was paused has an old state. It must neither refuse a seat
// that is free by now nor return a booking's old state.
func TestReplicaThatIsBehindCatchesUpBeforeItAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, 1, 2)
		w.set(0, 100, -1) // both believe they own the log, and get no messages from each other
		first, second := uuid.New(), uuid.New()
		if _, err := w.hold(0, 1, first, 5); err != nil {
			t.Fatal(err)
		}
		status := func(n int) (s booking.Status) {
			err := w.engines[n].Read(t.Context(), w.id(), func(state *booking.State) {
				if b := state.Booking(1); b != nil {
					s = b.Status
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		if s := status(1); s != booking.Held {
			t.Fatalf("the second replica reads %q", s)
		}
		cancel := &logpb.Command{Event: uint64(w.id()), Kind: &logpb.Command_Cancel{Cancel: &logpb.Cancel{Booking: 1, User: first[:]}}}
		if a, err := w.engines[0].Do(t.Context(), cancel); err != nil || a.GetRefusal() != "" {
			t.Fatal(a, err)
		}
		if a, err := w.engines[1].Do(t.Context(), cancel); err != nil || a.GetBooking().GetStatus() != "cancelled" {
			t.Errorf("cancelled again: %v %v", a, err)
		}
		if _, err := w.hold(0, 3, first, 7, 8); err != nil {
			t.Fatal(err)
		}
		if a, err := w.hold(1, 4, second, 7); err != nil || a.GetRefusal() != string(booking.SeatsTaken) {
			t.Errorf("a seat that was taken meanwhile: %v %v", a, err)
		}
		cancel.GetCancel().Booking, cancel.GetCancel().User = 3, first[:]
		if a, err := w.engines[0].Do(t.Context(), cancel); err != nil || a.GetRefusal() != "" {
			t.Fatal(a, err)
		}
		if a, err := w.hold(1, 5, second, 7); err != nil || a.GetRefusal() != "" {
			t.Errorf("a seat that is free again: %v %v", a, err)
		}
		if s := status(1); s != booking.Cancelled {
			t.Errorf("the second replica reads %q", s)
		}
		w.close()
	})
}

// A replica drops the unused log of another owner. When it becomes the owner, it
// must publish what the other one could not.
func TestNewOwnerPublishesLogThatItHadDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t, 1, 2)
		w.set(0, 0, 0)
		w.kafka.setFailures(100)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = w.engines[1].Run(ctx) }()
		user := uuid.New()
		if _, err := w.hold(0, 1, user, 5); err != nil {
			t.Fatal(err)
		}
		cancel := &logpb.Command{Event: uint64(w.id()), Kind: &logpb.Command_Cancel{Cancel: &logpb.Cancel{Booking: 1, User: user[:]}}}
		if _, err := w.engines[0].Do(t.Context(), cancel); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * idleAfter)
		if n := len(w.engines[1].all()); n != 0 {
			t.Fatalf("%d logs are in the other replica's memory", n)
		}
		w.set(0, 0, 1)
		w.kafka.setFailures(0)
		time.Sleep(time.Minute)
		if published, _, _ := w.store.Cursors(ctx, w.id()); published != int64(len(w.entries())) {
			t.Errorf("%d of %d entries are published", published, len(w.entries()))
		}
		stop()
		<-ended
		w.close()
	})
}
