package booking_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

// simulation is one run of the real code, two replicas over one store in
// memory, in which one call to the outside happens at a time and a schedule
// says which. Trying every schedule is stateless model checking, as VeriSoft
// does it (Godefroid, "Model Checking for Programming Languages using
// VeriSoft", 1997); states already seen are told by a digest of what is stored
// and of what each replica remembers and each request has seen.
type simulation struct {
	scenario *scenario
	def      events.EventChanged
	event    *booking.Event
	store    *bookingtest.Store
	clock    *clock.Manual
	began    int64
	a, b     *replica

	mu      sync.Mutex
	pending []*call
	// free lets every call through at once: before and after what is explored.
	free bool
	// pause is set when a replica waits a moment before it tries again.
	pause bool
	// late are rounds that may land at any time from now on, or never.
	late    []*round
	names   map[uuid.UUID]string // of bookings
	users   map[uuid.UUID]string // bookings are named after their users
	locks   map[booking.SeatID]lock
	ended   map[uuid.UUID]bool // bookings, as far as Redis has heard
	answers map[string]string
	sent    map[uuid.UUID]bool

	faults, jumps int
	// moved is who made the last step, and whether it may have left a trace.
	moved *replica
	trace bool

	unfinished int
	actors     sync.WaitGroup
	watch      watch
}

// option is one thing that can happen next.
type option struct {
	label string
	do    func()
}

// point is a place in a schedule: what could happen, and what does.
type point struct {
	labels []string
	chosen int
}

// explorer goes through all schedules of a scenario, depth first.
type explorer struct {
	scenario *scenario
	path     []point
	visited  map[uint64]bool
	// runs, states and ends count runs, states and those states in which
	// nothing was left to do.
	runs, ends int
	answers    map[string]int
	violation  string
	diverged   string
}

// maxRuns stops an exploration that has grown beyond what a test may take.
const maxRuns = 30_000

func explore(t *testing.T, sc *scenario) *explorer {
	t.Helper()
	e := &explorer{scenario: sc, visited: map[uint64]bool{}, answers: map[string]int{}}
	for again := 0; ; {
		synctest.Test(t, e.run)
		e.runs++
		switch {
		case e.violation != "":
			t.Fatalf("%s\nafter %d runs, by this schedule:\n%s", e.violation, e.runs, e.schedule())
		case e.diverged != "" && again < 50:
			// Two goroutines of a replica raced for its memory; the schedule is
			// met again when they do so in the same order.
			e.diverged = ""
			again++
			continue
		case e.diverged != "":
			t.Fatalf("the same schedule leads elsewhere: %s\n%s", e.diverged, e.schedule())
		case e.runs == maxRuns:
			t.Fatalf("not done after %d runs, %d states", e.runs, len(e.visited))
		}
		again = 0
		for len(e.path) > 0 && e.path[len(e.path)-1].chosen+1 == len(e.path[len(e.path)-1].labels) {
			e.path = e.path[:len(e.path)-1]
		}
		if len(e.path) == 0 {
			return e
		}
		e.path[len(e.path)-1].chosen++
	}
}

func (e *explorer) schedule() string {
	var text strings.Builder
	for i, p := range e.path {
		fmt.Fprintf(&text, "%3d. %s\n", i+1, p.labels[p.chosen])
	}
	return text.String()
}

// run repeats the path and goes on from there to an end or a known state.
func (e *explorer) run(t *testing.T) {
	s := newSimulation(t, e.scenario)
	defer s.stop()
	for depth := 0; ; depth++ {
		options := s.options()
		for patience := 40; len(options) == 0 && s.unfinished > s.waiting() && patience > 0; patience-- {
			time.Sleep(longerThanAnyPause)
			synctest.Wait()
			options = s.options()
		}
		labels := make([]string, len(options))
		for i, o := range options {
			labels[i] = o.label
		}
		if depth < len(e.path) && !slices.Equal(labels, e.path[depth].labels) {
			e.diverged = fmt.Sprintf("step %d\nwas %q\nis  %q", depth+1, e.path[depth].labels, labels)
			return
		}
		if depth == len(e.path) {
			if e.violation = s.check(); e.violation != "" {
				return
			}
			state := s.state()
			if e.visited[state] {
				return
			}
			e.visited[state] = true
			if len(options) == 0 {
				e.ends++
				e.answers[fmt.Sprint(s.answers)]++
				e.violation = s.settleAndCheck()
				return
			}
			e.path = append(e.path, point{labels: labels})
		} else if depth == len(e.path)-1 {
			// What follows from here is new; what led here was watched before.
			s.check()
		}
		options[e.path[depth].chosen].do()
		s.quiesce()
	}
}

func newSimulation(t *testing.T, sc *scenario) *simulation {
	t.Helper()
	s := &simulation{
		scenario: sc, store: bookingtest.NewStore(), clock: clock.NewManual(time.Now()), began: time.Now().UnixMilli(), free: true,
		names: map[uuid.UUID]string{uuid.Max: "off sale"}, users: map[uuid.UUID]string{}, locks: map[booking.SeatID]lock{},
		ended:   map[uuid.UUID]bool{},
		answers: map[string]string{}, sent: map[uuid.UUID]bool{}, watch: watch{last: map[string]booking.Status{}, messages: map[uuid.UUID]string{}},
		faults: sc.faults, jumps: sc.jumps, unfinished: len(sc.actors),
	}
	s.def = sc.definition()
	var err error
	if s.event, err = booking.NewEvent(s.def); err != nil {
		t.Fatal(err)
	}
	s.a, s.b = s.newReplica("A"), s.newReplica("B")
	for _, r := range []*replica{s.a, s.b} {
		if err := r.service.Changed(t.Context(), s.def); err != nil {
			t.Fatal(err)
		}
	}
	if sc.before != nil {
		sc.before(s)
		synctest.Wait()
	}
	for _, r := range []*replica{s.a, s.b} {
		if err := r.service.CorrectNow(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
	s.free = false
	for _, a := range sc.actors {
		s.actors.Go(func() { s.play(a) })
	}
	s.quiesce()
	return s
}

// quiesce waits until every goroutine waits for a turn, or for another.
func (s *simulation) quiesce() {
	synctest.Wait()
	s.mu.Lock()
	pause := s.pause
	s.pause = false
	s.mu.Unlock()
	if pause {
		time.Sleep(longerThanAnyPause)
		synctest.Wait()
	}
	for _, c := range s.sorted() {
		if c.atOnce {
			moved, trace := s.moved, s.trace
			s.grant(c, proceed)
			s.moved, s.trace = moved, trace
			synctest.Wait()
		}
	}
}

// longerThanAnyPause lets every goroutine that sleeps get to its next call.
const longerThanAnyPause = 250 * time.Millisecond

// sorted returns the calls that wait, in an order that a repetition has too.
func (s *simulation) sorted() []*call {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.pending, func(a, b *call) int { return cmp.Compare(a.label, b.label) })
	return slices.Clone(s.pending)
}

// waiting counts the requests that cannot be made yet.
func (s *simulation) waiting() int {
	n := 0
	for _, c := range s.sorted() {
		if c.ready != nil {
			n++
		}
	}
	return n
}

// options returns all that can happen next; none when nothing is left to do.
func (s *simulation) options() []option {
	var options []option
	busy, sent := map[*replica]bool{}, map[*replica]bool{}
	pending := s.sorted()
	for _, c := range pending {
		if c.ready != nil && !c.ready() {
			continue
		}
		busy[c.replica] = true
		sent[c.replica] = sent[c.replica] || c.round != nil
		options = append(options, option{c.label, func() { s.grant(c, proceed) }})
		if c.round != nil && s.faults > 0 {
			options = append(options, option{"unknown: " + c.label, func() {
				s.faults--
				s.late = append(s.late, c.round)
				s.grant(c, lose)
			}})
		}
		if c.mayFail && s.faults > 0 {
			options = append(options, option{"fails: " + c.label, func() { s.faults--; s.grant(c, fail) }})
		}
	}
	for _, r := range []*replica{s.a, s.b} {
		for i, p := range r.published {
			busy[r] = true
			options = append(options, option{p.label, func() {
				s.moved, s.trace = r, true
				r.published = slices.Delete(slices.Clone(r.published), i, i+1)
				s.send(p.messages)
				p.done(nil)
			}})
		}
		if len(r.settled) > 0 {
			busy[r] = true
			o := r.settled[0]
			options = append(options, option{"Redis hears from " + r.name + ": " + s.showOutcome(o), func() {
				s.moved, s.trace = r, true
				r.settled = r.settled[1:]
				s.settle(o)
			}})
		}
		// A crash can be moved ahead of what the other did, and of reads.
		r.mayCrash = busy[r] && s.faults > 0 && s.moved == r && (s.trace || sent[r])
		if r.mayCrash {
			options = append(options, option{r.name + " crashes", func() { s.faults--; s.crash(r) }})
		}
	}
	if s.jumps > 0 && len(pending) > 0 {
		options = append(options, option{"a minute passes", func() {
			s.jumps--
			s.clock.Advance(61 * time.Second)
		}})
	}
	s.late = slices.DeleteFunc(s.late, func(l *round) bool {
		// A version that is gone never comes back.
		block, _ := s.store.ReadBlock(context.Background(), l.id)
		return l.version < block.Version
	})
	for i, l := range s.late {
		options = append(options, option{"lands late: " + l.label, func() {
			s.late = slices.Delete(slices.Clone(s.late), i, i+1)
			_, _, _ = s.store.CommitRound(context.Background(), l.id, l.version, l.changes)
		}})
	}
	return options
}

func (s *simulation) grant(c *call, v verdict) {
	s.mu.Lock()
	s.pending = slices.DeleteFunc(s.pending, func(p *call) bool { return p == c })
	s.pause = v == lose
	s.moved, s.trace = c.replica, !c.reads
	s.mu.Unlock()
	c.verdict <- v
}

// send notes messages that Kafka has; s.mu must be held or nobody else run.
func (s *simulation) send(messages []booking.Message) {
	for _, m := range messages {
		s.sent[m.ID] = true
		var about struct {
			BookingID uuid.UUID `json:"booking_id"`
		}
		if err := json.Unmarshal(m.Data, &about); err != nil {
			panic(err)
		}
		s.watch.messages[m.ID] = s.name(about.BookingID) + " " + s.showMessage(m)
	}
}

// crash ends a replica as kill -9 does. The rounds it had sent may still land.
func (s *simulation) crash(r *replica) {
	s.mu.Lock()
	s.moved = nil
	r.dead, r.published, r.settled = true, nil, nil
	var dead []*call
	s.pending = slices.DeleteFunc(s.pending, func(c *call) bool {
		if c.replica == r {
			dead = append(dead, c)
		}
		return c.replica == r
	})
	s.mu.Unlock()
	for _, c := range dead {
		if c.round != nil {
			s.late = append(s.late, c.round)
		}
		c.verdict <- die
	}
	synctest.Wait()
	// Longer than any of its goroutines tries again.
	time.Sleep(time.Minute)
}

// stop ends all that is left, so that the next run can begin.
func (s *simulation) stop() {
	s.mu.Lock()
	s.free = true
	s.mu.Unlock()
	s.crash(s.a)
	s.crash(s.b)
	s.actors.Wait()
	time.Sleep(time.Minute)
}
