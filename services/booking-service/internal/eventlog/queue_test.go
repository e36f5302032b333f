package eventlog

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// newQueueSimulation opens the pre-queue of a sale that starts in a minute.
func newQueueSimulation(t *testing.T, seed uint64, replicas int, mode events.QueueMode) *simulation {
	t.Helper()
	w := newSimulation(t, seed, replicas)
	w.def.Version, w.def.SaleStartsAt = 2, time.Now().Add(time.Minute)
	w.def.Queue = events.Queue{Mode: mode, OpensBeforeSeconds: 3600, AdmissionSeconds: 60}
	w.retry(func(ctx context.Context) error { _, err := w.engines[0].Define(ctx, w.def); return err })
	return w
}

func (w *simulation) arrive(n int, user uuid.UUID) (*logpb.Answer, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 8*time.Second)
	defer cancel()
	return w.engines[n].Do(ctx, &logpb.Command{Event: uint64(w.id()), Kind: &logpb.Command_Arrive{Arrive: &logpb.Arrive{User: user[:], Solved: true}}})
}

// turn is what the log says of a person's place.
type turn struct {
	lane             logpb.Lane
	number           uint32
	called, admitted bool
	until            int64
}

// foldQueue checks the log independently: nobody is admitted twice for one
// place or before the call, and nobody holds seats without an admission. It
// returns who was given each number.
func (w *simulation) foldQueue() map[uuid.UUID][]turn {
	w.t.Helper()
	given, now := map[uuid.UUID][]turn{}, map[uuid.UUID]*turn{}
	var lasts [3]uint32
	order := [3]map[uint32]uuid.UUID{{}, {}, {}}
	var serving [3]uint32
	state := booking.NewState()
	for i, stored := range w.entries() {
		var entry logpb.Entry
		if err := proto.Unmarshal(stored.Data, &entry); err != nil {
			w.t.Fatal(err)
		}
		if err := state.Apply(int64(i)+1, &entry); err != nil {
			w.t.Fatal(err)
		}
		for _, op := range entry.GetOperations() {
			switch op := op.GetKind().(type) {
			case *logpb.Operation_Joined:
				user, lane := uuid.UUID(op.Joined.GetUser()), op.Joined.GetLane()
				lasts[lane]++
				given[user] = append(given[user], turn{lane: lane, number: lasts[lane]})
				now[user] = &given[user][len(given[user])-1]
				order[lane][lasts[lane]] = user
			case *logpb.Operation_Drawn:
				// The ranks are the state's business; its order is tested there.
				for user, t := range now {
					if p := state.Place(user, time.UnixMilli(op.Drawn.GetAt())); p != nil {
						order[t.lane][p.GetRank()] = user
					}
				}
			case *logpb.Operation_Served:
				for lane, upTo := range op.Served.GetServing() {
					if upTo < serving[lane] {
						w.t.Errorf("serving of lane %d goes back from %d to %d", lane, serving[lane], upTo)
					}
					for ; serving[lane] < upTo; serving[lane]++ {
						if t := now[order[lane][serving[lane]+1]]; t != nil && int(t.lane) == lane {
							t.called = true
						}
					}
				}
			case *logpb.Operation_Entered:
				t := now[uuid.UUID(op.Entered.GetUser())]
				if t == nil || !t.called || t.admitted {
					w.t.Errorf("entry %d admits a place that is %+v", i+1, t)
					continue
				}
				t.admitted, t.until = true, op.Entered.GetUntil()
			case *logpb.Operation_Held:
				t := now[uuid.UUID(op.Held.GetUser())]
				if t == nil || !t.admitted || op.Held.GetAt() >= t.until {
					w.t.Errorf("entry %d gives seats to a place that is %+v", i+1, t)
					continue
				}
				t.until = max(t.until, op.Held.GetAt()+60_000)
			}
		}
	}
	return given
}

// TestQueueSimulation lets people queue at three replicas whose store loses
// responses and whose network loses messages, with changing owners.
func TestQueueSimulation(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { simulateQueue(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func simulateQueue(t *testing.T, seed uint64) {
	t.Helper()
	w := newQueueSimulation(t, seed, 3, events.QueueAlways)
	w.set(30, 30, int(seed%4)-1)
	var mu sync.Mutex
	seen := map[uuid.UUID][]*logpb.Place{}
	sold := 0
	var group sync.WaitGroup
	for i := range 20 {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		user := uuid.New()
		group.Go(func() {
			time.Sleep(time.Duration(random.IntN(100)) * time.Second)
			for range 200 {
				a, err := w.arrive(random.IntN(3), user)
				if p := a.GetPlace(); err == nil && p != nil {
					mu.Lock()
					seen[user] = append(seen[user], p)
					mu.Unlock()
					if p.GetStatus() == logpb.Place_ENTERED {
						answer, err := w.hold(random.IntN(3), uint64(i+1)|1<<63, user, uint32(random.IntN(12)))
						if err == nil && answer.GetRefusal() == "" {
							mu.Lock()
							sold++
							mu.Unlock()
							return
						}
					}
				}
				time.Sleep(time.Duration(random.IntN(5000)) * time.Millisecond)
			}
		})
	}
	group.Go(func() {
		for step := range 30 {
			time.Sleep(5 * time.Second)
			w.set(30, 30, (step+int(seed))%4-1)
		}
		w.set(0, 0, 0)
	})
	group.Wait()
	given := w.foldQueue()
	for user, places := range seen {
		for _, p := range places {
			found := false
			for _, t := range given[user] {
				found = found || t.lane == p.GetLane() && t.number == p.GetNumber()
			}
			if !found {
				t.Errorf("the place %v was acknowledged, but the log gave %v", p, given[user])
			}
		}
	}
	if sold == 0 {
		t.Error("nobody got a seat")
	}
	w.close()
}

func TestAutomaticQueueStartsWhenHoldsAreRefusedForOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newQueueSimulation(t, 1, 1, events.QueueAutomatic)
		time.Sleep(time.Minute + 2*housekeeping)
		if a, err := w.hold(0, 1|1<<63, uuid.New(), 1); err != nil || a.GetRefusal() != "" {
			t.Fatalf("before: %v, %v", a, err)
		}
		e := w.engines[0]
		e.mu.RLock()
		l := e.logs[w.id()]
		e.mu.RUnlock()
		for range 4 {
			l.queueControl.overloaded.Add(1)
			time.Sleep(controlEvery)
		}
		if a, err := w.hold(0, 2|1<<63, uuid.New(), 2); err != nil || a.GetRefusal() != string(booking.QueueRequired) {
			t.Errorf("overloaded: %v, %v", a, err)
		}
		time.Sleep(2 * time.Minute)
		if a, err := w.hold(0, 3|1<<63, uuid.New(), 3); err != nil || a.GetRefusal() != "" {
			t.Errorf("after a quiet minute: %v, %v", a, err)
		}
		w.close()
	})
}

func TestAutomaticQueueKeepsItsPreQueue(t *testing.T) {
	for ticks := range time.Duration(5) { // the draw after any number of ticks since a decision
		synctest.Test(t, func(t *testing.T) {
			w := newQueueSimulation(t, 1, 1, events.QueueAutomatic)
			w.def.Version, w.def.SaleStartsAt = 3, w.def.SaleStartsAt.Add(ticks*housekeeping)
			w.retry(func(ctx context.Context) error { _, err := w.engines[0].Define(ctx, w.def); return err })
			user := uuid.New()
			if _, err := w.arrive(0, user); err != nil {
				t.Fatal(err)
			}
			for time.Now().Before(w.def.SaleStartsAt.Add(20 * time.Second)) {
				time.Sleep(housekeeping)
				a, err := w.hold(0, 1|1<<63, uuid.New(), 1)
				if err != nil || a.GetRefusal() == "" {
					t.Fatalf("a stranger came first: %v, %v", a, err)
				}
			}
			if a, err := w.arrive(0, user); err != nil || a.GetPlace().GetStatus() != logpb.Place_ENTERED {
				t.Errorf("%v, %v", a, err)
			}
			w.close()
		})
	}
}

func TestOwnerCallsPeopleAndReportsWhatItRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newQueueSimulation(t, 1, 1, events.QueueAlways)
		user := uuid.New()
		if a, err := w.arrive(0, user); err != nil || a.GetPlace().GetStatus() != logpb.Place_WAITING {
			t.Fatalf("%v, %v", a, err)
		}
		time.Sleep(time.Minute + 3*controlEvery)
		if a, err := w.hold(0, 1|1<<63, uuid.New(), 1); err != nil || a.GetRefusal() != string(booking.QueueRequired) {
			t.Errorf("without an admission: %v, %v", a, err)
		}
		a, err := w.arrive(0, user)
		if err != nil || a.GetPlace().GetStatus() != logpb.Place_ENTERED {
			t.Fatalf("%v, %v", a, err)
		}
		time.Sleep(15 * time.Second)
		entries := len(w.entries())
		var refused int
		if err := w.engines[0].Peek(t.Context(), w.id(), func(s *booking.State) { refused = s.QueueReport(time.Now()).Refused.QueueRequired }); err != nil || refused != 1 {
			t.Errorf("%d holds were refused, %v", refused, err)
		}
		if entries > 20 {
			t.Errorf("a quiet queue has written %d entries", entries)
		}
		w.close()
	})
}

func TestOrganisersLimitHoldsBetweenDecisions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newQueueSimulation(t, 1, 1, events.QueueAlways)
		for range 40 {
			if _, err := w.arrive(0, uuid.New()); err != nil {
				t.Fatal(err)
			}
		}
		_, err := w.engines[0].Do(t.Context(), &logpb.Command{Event: uint64(w.id()), Kind: &logpb.Command_Control{Control: &logpb.Control{
			Control: &logpb.QueueControl{State: "running", MaxPerMinute: 60},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute + 5*time.Second)
		called := 0
		if err := w.engines[0].Peek(t.Context(), w.id(), func(s *booking.State) { called = s.QueueFigures(time.Now()).Called }); err != nil || called < 3 || called > 8 {
			t.Errorf("%d people called in about five seconds, %v", called, err)
		}
		w.close()
	})
}
