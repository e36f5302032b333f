package main

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

const (
	// opens is how long before the sale the pre-queue opens, and longest how long
	// a simulated sale may take.
	opens   = 10 * time.Minute
	longest = time.Hour
	// blockSeats and rowSeats shape the seat plan.
	blockSeats, rowSeats = 500, 50
	ticketType           = "seat"
)

var saleStart = time.Date(2030, 1, 2, 10, 0, 0, 0, time.UTC)

// simulation is one sale in simulated time. The event's state and the
// controller are the real ones; people and the time that work takes are models.
type simulation struct {
	pattern
	rng *rand.Rand
	// now is the time since the start of the sale.
	now    time.Duration
	agenda agenda
	steps  int
	state  *booking.State
	event  events.EventChanged
	owner  owner
	// members has the people by rank, for each lane.
	members [3]map[uint32]*person
	drawn   []*person
	result  result
}

// simulate runs a sale with a queue, or without one.
func simulate(p pattern, mode events.QueueMode, seed uint64) result {
	s := &simulation{pattern: p, rng: rand.New(rand.NewPCG(seed, 1)), now: -opens, state: booking.NewState()}
	for n := range s.members {
		s.members[n] = map[uint32]*person{}
	}
	s.define(mode)
	s.owner.start(s)
	s.populate(mode)
	var since observer
	s.every(time.Second, func() { s.observeMoment(&since) })
	for s.now < longest && s.result.sold == 0 {
		next := heap.Pop(&s.agenda).(step) //nolint:forcetypeassert // the agenda has steps
		s.now = next.at
		next.do()
	}
	return s.result
}

func (s *simulation) define(mode events.QueueMode) {
	s.event = events.EventChanged{
		EventID: s.uuid(), Version: 1, Status: events.StatusPublished, Name: "Concert", Currency: "EUR",
		StartsAt: saleStart.Add(48 * time.Hour), EndsAt: saleStart.Add(50 * time.Hour),
		SaleStartsAt: saleStart, SaleEndsAt: saleStart.Add(24 * time.Hour), MaxSeatsPerBuyer: 8, HoldSeconds: int(s.hold.Seconds()),
		Queue:       events.Queue{Mode: mode, OpensBeforeSeconds: int(opens.Seconds()), AdmissionSeconds: 600},
		TicketTypes: []events.TicketType{{ID: ticketType, Name: "Seat", Category: "A", Price: 5000}},
	}
	for from := 0; from < s.seats; from += blockSeats {
		block := events.Block{Section: fmt.Sprint(from/blockSeats + 1)}
		for row := from; row < min(from+blockSeats, s.seats); row += rowSeats {
			block.Rows = append(block.Rows, events.Row{
				Label: fmt.Sprint(len(block.Rows) + 1), First: 1,
				Runs: []events.Run{{Category: "A", Count: min(rowSeats, s.seats-row)}},
			})
		}
		s.event.Blocks = append(s.event.Blocks, block)
	}
	definition, err := booking.Definition(s.event)
	if err != nil {
		panic(err)
	}
	s.decide(&logpb.Command{Kind: &logpb.Command_Define{Define: &logpb.Define{Definition: definition}}})
}

// decide decides commands in one round and applies it.
func (s *simulation) decide(commands ...*logpb.Command) []*logpb.Answer {
	round := s.state.NewRound(s.clock())
	answers := make([]*logpb.Answer, len(commands))
	for i, c := range commands {
		answers[i] = round.Decide(c)
		if answers[i].GetError() != "" {
			panic("decide: " + answers[i].GetError())
		}
	}
	if len(round.Operations) == 0 {
		return answers
	}
	var before []uint32
	if last := s.state.LastServed(); last != nil {
		before = last.GetServing()
	}
	if err := s.state.Apply(s.state.Seq+1, &logpb.Entry{Operations: round.Operations}); err != nil {
		panic(err)
	}
	for _, op := range round.Operations {
		switch op := op.GetKind().(type) {
		case *logpb.Operation_Drawn:
			for _, p := range s.drawn {
				if place := s.state.Place(p.user, s.clock()); place != nil {
					s.members[place.GetLane()][place.GetRank()] = p
				}
			}
		case *logpb.Operation_Served:
			s.call(before, op.Served.GetServing())
		}
	}
	return answers
}

// call tells the people whose turn it is.
func (s *simulation) call(before, serving []uint32) {
	for lane, upTo := range serving {
		rank := uint32(1)
		if lane < len(before) {
			rank = before[lane] + 1
		}
		for ; rank <= upTo; rank++ {
			p := s.members[lane][rank]
			if p != nil && s.state.Place(p.user, s.clock()).GetStatus() == logpb.Place_CALLED {
				s.result.called++
				p.called()
			}
		}
	}
}

func (s *simulation) clock() time.Time { return saleStart.Add(s.now) }

func (s *simulation) uuid() (id uuid.UUID) {
	for i := range id {
		id[i] = byte(s.rng.Uint32())
	}
	return id
}

// lognormal returns a random time: people's times are skewed.
func (s *simulation) lognormal(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*s.rng.NormFloat64()))
}

// after does something later.
func (s *simulation) after(d time.Duration, do func()) {
	s.steps++
	heap.Push(&s.agenda, step{at: s.now + d, n: s.steps, do: do})
}

// every does something repeatedly.
func (s *simulation) every(interval time.Duration, do func()) {
	s.after(interval, func() {
		do()
		s.every(interval, do)
	})
}

// step is something to do at a time; n keeps the order of steps of one time.
type step struct {
	at time.Duration
	n  int
	do func()
}

// agenda is a heap of steps.
type agenda []step

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].n < a[j].n
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { *a = append(*a, x.(step)) } //nolint:forcetypeassert // the agenda has steps

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
