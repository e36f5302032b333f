package booking_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// scenario is what is asked of the two replicas, A and B, and what may go
// wrong meanwhile. Every order of their calls to the outside is tried.
type scenario struct {
	name string
	// rows is how many seats each block has.
	rows []int
	// before runs undisturbed.
	before func(*simulation)
	actors []actor
	// kafka tells whether messages are acknowledged, at some time; else they
	// stay in the outbox. redis tells whether there are locks.
	kafka, redis bool
	// index: the writes of index entries are taken apart too, and may fail.
	index bool
	// faults bounds how often a replica crashes, a round's outcome is unknown,
	// or an index entry is not written; jumps, how often a minute passes, after
	// which holds end.
	faults, jumps int
	// large: under the race detector, one fault less or else one minute less.
	large bool
}

// actor is somebody who asks something once. Its name is that of a booking and
// what is done with it.
type actor struct {
	name string
	// on is the replica that is asked while it is alive.
	on string
	// after, when set, tells whether it can be asked yes.
	after func(*simulation) bool
	// insists: asked again of the other replica if this one crashes.
	insists bool
	do      func(context.Context, *simulation, *booking.Service) string
}

func (sc *scenario) has(name string) bool {
	return slices.ContainsFunc(sc.actors, func(a actor) bool { return a.name == name })
}

// definition is an event with the scenario's blocks.
func (sc *scenario) definition() events.EventChanged {
	now := time.Now().UTC()
	def := events.EventChanged{
		EventID: uuid.UUID{15: 1}, Version: 1, Status: events.EventPublished, Name: "Concert", Currency: "EUR",
		StartsAt: now.Add(48 * time.Hour), EndsAt: now.Add(50 * time.Hour), SaleStartsAt: now.Add(-time.Hour), SaleEndsAt: now.Add(24 * time.Hour),
		MaxSeatsPerBuyer: 8, HoldSeconds: 60,
		TicketTypes: []events.TicketType{{ID: "stalls", Name: "Stalls", Category: "A", Price: 5000}},
	}
	for _, seats := range sc.rows {
		def.Blocks = append(def.Blocks, events.Block{Rows: []events.Row{{Label: "A", First: 1, Runs: []events.Run{{Category: "A", Count: seats}}}}})
	}
	return def
}

func namedID(kind byte, name string) uuid.UUID {
	return uuid.UUID{0: kind, 14: name[0], 15: name[len(name)-1]}
}

func userOf(name string) uuid.UUID { return namedID(1, name) }

func paymentOf(name string) uuid.UUID { return namedID(2, name) }

// play makes an actor's request once it is let to; on the other replica when
// its own has crashed, again and again if it does not give up.
func (s *simulation) play(a actor) {
	for {
		r := s.a
		if a.on == "B" && !s.b.dead || s.a.dead {
			r = s.b
		}
		start := &call{label: r.name + " is asked: " + a.name, ready: func() bool { return a.after == nil || a.after(s) }}
		answer, unheard := "lost", true
		if r.enter(start) == proceed {
			unheard = false
			ctx := context.WithValue(context.Background(), actorKey{}, a.name)
			r.saw(ctx, start.label, "")
			answer = a.do(ctx, s, r.service)
			if r.dead {
				answer = "lost"
			}
		}
		s.mu.Lock()
		delete(r.serving, "("+a.name+") ")
		again := (a.insists || unheard) && r.dead && !s.free && (!s.a.dead || !s.b.dead)
		if !again {
			s.answers[a.name] = answer
			s.unfinished--
		}
		s.mu.Unlock()
		if !again {
			return
		}
	}
}

// holds asks for seats.
func holds(name, on string, seats ...booking.SeatID) actor {
	return actor{name: name + " holds", on: on, do: func(ctx context.Context, s *simulation, service *booking.Service) string {
		return s.hold(ctx, service, booking.HoldRequest{User: userOf(name), Event: s.def.EventID, Seats: seats})
	}}
}

func (s *simulation) hold(ctx context.Context, service *booking.Service, req booking.HoldRequest) string {
	s.mu.Lock()
	for _, name := range []string{"x", "y", "z"} {
		s.users[userOf(name)] = name
	}
	s.mu.Unlock()
	if ctx.Value(keyedAsk{}) != nil {
		req.Key, req.Hash = "key", []byte{1}
	}
	_, _, err := service.Hold(ctx, req)
	var refusal *booking.Refusal
	switch {
	case err == nil:
		return "yes"
	case errors.As(err, &refusal):
		return "no: " + string(refusal.Reason)
	case errors.Is(err, booking.ErrUnknown):
		return "unknown"
	}
	return err.Error()
}

// record returns a booking's row by its name, which somebody has held.
func (s *simulation) record(name string) booking.Record {
	for _, b := range s.stored() {
		for _, rec := range b.records {
			if s.nameOf(rec.ID) == name {
				return rec
			}
		}
	}
	return booking.Record{}
}

func pays(name, on string) actor {
	return actor{
		name: name + " pays", on: on, insists: true,
		after: func(s *simulation) bool { return s.record(name).Revision > 0 },
		do: func(ctx context.Context, s *simulation, service *booking.Service) string {
			rec := s.record(name)
			return done(service.PaymentConfirmed(ctx, events.PaymentConfirmed{
				PaymentID: paymentOf(name), BookingID: rec.ID, EventID: rec.Home.Event, HomeBlock: rec.Home.Block, Amount: rec.Total,
			}))
		},
	}
}

func declines(name, on string) actor {
	return actor{
		name: name + " is declined", on: on, insists: true,
		do: func(ctx context.Context, s *simulation, service *booking.Service) string {
			rec := s.record(name)
			return done(service.PaymentFailed(ctx, events.PaymentFailed{
				PaymentID: namedID(3, name), BookingID: rec.ID, EventID: rec.Home.Event, HomeBlock: rec.Home.Block, FailureCode: "card_declined",
			}))
		},
	}
}

func cancels(name, on string) actor {
	return actor{
		name: name + " cancels", on: on,
		after: func(s *simulation) bool { return s.record(name).Revision > 0 },
		do: func(ctx context.Context, s *simulation, service *booking.Service) string {
			_, err := service.Cancel(ctx, userOf(name), s.record(name).ID)
			return done(err)
		},
	}
}

// sweeps is a leader's sweep of all shards, after a deadline has passed.
func sweeps(on string) actor {
	return actor{
		name: on + " sweeps", on: on,
		after: func(s *simulation) bool { return s.jumps < s.scenario.jumps },
		do: func(ctx context.Context, _ *simulation, service *booking.Service) string {
			for shard := range booking.Shards {
				if err := service.SweepHolds(ctx, shard); err != nil {
					return done(err)
				}
			}
			return "done"
		},
	}
}

func done(err error) string {
	var refusal *booking.Refusal
	switch {
	case errors.As(err, &refusal):
		return "no: " + string(refusal.Reason)
	case errors.Is(err, booking.ErrUnknown):
		return "unknown"
	case err != nil:
		return err.Error()
	}
	return "done"
}

// before returns a scenario's beginning: these actors one after another.
func before(actors ...actor) func(*simulation) {
	return func(s *simulation) {
		for _, a := range actors {
			if answer := a.do(context.Background(), s, s.a.service); answer != "yes" && answer != "done" {
				panic(a.name + ": " + answer)
			}
		}
	}
}

func scenarios() []*scenario {
	one, both := at(1, 0), []booking.SeatID{at(1, 0), at(2, 0)}
	return []*scenario{
		{
			name: "two holds of one seat", rows: []int{1}, faults: 2, kafka: true,
			actors: []actor{holds("x", "A", one), holds("y", "B", one)},
		},
		{
			name: "two holds in one group", rows: []int{2}, faults: 2,
			actors: []actor{holds("x", "A", at(1, 0), at(1, 1)), holds("y", "A", at(1, 1))},
		},
		{
			name: "two holds of the same two blocks", rows: []int{1, 1}, faults: 2,
			actors: []actor{holds("x", "A", both...), holds("y", "B", both...)},
		},
		{
			name: "hold of two blocks, hold of its first", rows: []int{1, 1}, faults: 1,
			actors: []actor{holds("x", "A", both...), holds("y", "B", one)},
		},
		{
			name: "hold of two blocks, hold of its last", large: true, rows: []int{1, 1}, faults: 1, jumps: 1,
			actors: []actor{holds("x", "A", both...), holds("y", "B", at(2, 0))},
		},
		{
			name: "hold of two blocks that stops between them", rows: []int{1, 1}, faults: 1, jumps: 1,
			actors: []actor{holds("x", "A", both...), sweeps("B")},
		},
		{
			name: "steal and payment", rows: []int{1}, jumps: 1,
			before: before(holds("x", "A", one)),
			actors: []actor{holds("y", "B", one), pays("x", "A"), sweeps("A")},
		},
		{
			name: "steal and payment under faults", large: true, rows: []int{1}, jumps: 1, faults: 1,
			before: before(holds("x", "A", one)),
			actors: []actor{holds("y", "B", one), pays("x", "A")},
		},
		{
			name: "sweep and payment of two blocks", rows: []int{1, 1}, jumps: 1, faults: 1,
			before: before(holds("x", "A", both...)),
			actors: []actor{pays("x", "A"), sweeps("B")},
		},
		{
			name: "two sweeps and payment", rows: []int{1}, jumps: 1,
			before: before(holds("x", "A", one)),
			actors: []actor{pays("x", "A"), sweeps("A"), sweeps("B")},
		},
		{
			name: "cancel and payment of two blocks", rows: []int{1, 1}, faults: 1,
			before: before(holds("x", "A", both...)),
			actors: []actor{cancels("x", "B"), pays("x", "A")},
		},
		{
			name: "cancel, payment and sweep", rows: []int{1}, jumps: 1,
			before: before(holds("x", "A", one)),
			actors: []actor{cancels("x", "B"), pays("x", "A"), sweeps("B")},
		},
		{
			name: "cancel of what is sold, and who waits for it", rows: []int{1, 1}, faults: 1,
			before: before(holds("x", "A", both...), pays("x", "A")),
			actors: []actor{cancels("x", "A"), holds("y", "B", at(2, 0))},
		},
		{
			name: "declined, then paid", rows: []int{1}, jumps: 1,
			before: before(holds("x", "A", one)),
			actors: []actor{declines("x", "A"), pays("x", "B"), sweeps("A")},
		},
		{
			name: "the same request twice", large: true, rows: []int{1, 1}, faults: 1, jumps: 1,
			actors: []actor{keyed(holds("x", "A", both...)), keyed(again(holds("x", "B", both...)))},
		},
		{
			name: "the same request twice, and another's", large: true, rows: []int{1}, faults: 1,
			actors: []actor{keyed(holds("x", "A", one)), keyed(again(holds("x", "B", one))), holds("y", "B", one)},
		},
		{
			name: "sent messages leave the row while it is paid", rows: []int{1}, kafka: true, faults: 1,
			actors: []actor{holds("x", "A", one), pays("x", "B")},
		},
		{
			name: "sent messages leave the row while it is cancelled", rows: []int{1}, kafka: true, faults: 1,
			actors: []actor{holds("x", "A", one), cancels("x", "A")},
		},
		{
			name: "an index entry that is not written", rows: []int{1}, index: true, faults: 1,
			actors: []actor{holds("x", "A", one), holds("y", "B", one)},
		},
		{
			name: "locks that hear late", large: true, rows: []int{1}, redis: true, faults: 1,
			before: before(holds("x", "A", one)),
			actors: []actor{cancels("x", "B"), pays("x", "A"), holds("y", "B", one)},
		},
		{
			name: "two whole bookings of one seat", rows: []int{1},
			actors: []actor{holds("x", "A", one), holds("y", "B", one), pays("x", "A"), cancels("x", "B")},
		},
		{
			name: "two whole bookings of one seat in time", large: true, rows: []int{1}, jumps: 1,
			actors: []actor{holds("x", "A", one), holds("y", "B", one), pays("x", "A"), sweeps("A")},
		},
	}
}

// keyed makes an actor ask under an Idempotency-Key.
func keyed(a actor) actor {
	do := a.do
	a.do = func(ctx context.Context, s *simulation, service *booking.Service) string {
		return do(context.WithValue(ctx, keyedAsk{}, true), s, service)
	}
	return a
}

// again names an actor that asks what another one does.
func again(a actor) actor {
	a.name += " again"
	return a
}

type keyedAsk struct{}

func TestEveryInterleaving(t *testing.T) {
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	// Short runs make much garbage.
	percent := debug.SetGCPercent(800)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	for _, sc := range scenarios() {
		if underRace && sc.large {
			if sc.faults > 0 {
				sc.faults--
			} else {
				sc.jumps--
			}
		}
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			e := explore(t, sc)
			t.Logf("%d runs, %d states, %d ends in %s; answers: %v", e.runs, len(e.visited), e.ends, time.Since(start).Round(time.Millisecond), e.answers)
		})
	}
}
