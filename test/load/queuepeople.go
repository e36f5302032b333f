package main

import (
	"context"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue"
)

const (
	// botShare of people comes for each bot.
	botShare = 20
	// peoplePerStream follow the queue over one connection, and peoplePerSource
	// have one address.
	peoplePerStream, peoplePerSource = 500, 200
	// Shares of people who hold and don't pay, who leave while they wait, who
	// don't come when called, and who reload the page.
	unpaidShare, leavingShare, absentShare, reloadShare = .05, .02, .03, .1
	// retryTimeout is how long people repeat a request that is not answered.
	retryTimeout = time.Minute
)

// audience is the people who want seats.
type audience struct {
	b            *bench
	seats        int
	people, bots []*shopper
	sources      []*client.Client
}

// shopper is a person who wants one or two seats.
type shopper struct {
	name   string
	client *client.Client
	// arrives is since the start of the sale; negative in the pre-queue.
	arrives, reacts, thinks time.Duration
	// leaves and reloads are since the arrival; 0 for never.
	leaves, reloads time.Duration
	quantity        int
	types           []string
	unpaid, absent  bool
}

func newAudience(b *bench, people int) *audience {
	a := &audience{b: b, seats: people / peoplePerSeat}
	base := client.New("http://"+b.wire.host+"/api/v1", nil)
	for i := range (len(b.wire.sessions) + peoplePerSource - 1) / peoplePerSource {
		// A network each: people of one network are limited.
		a.sources = append(a.sources, base.From(net.IPv4(127, byte(20+i/250), byte(i%250), 1)))
	}
	dice := rand.New(rand.NewPCG(1, 0))
	for i := range people + people/botShare {
		p := &shopper{
			name: "person-" + uuid.NewString()[:13], client: a.source(i / peoplePerSource).WithSession(b.wire.sessions[i]),
			arrives: -time.Duration(dice.Float64() * float64(earlyLength)), reacts: time.Duration(dice.Float64() * float64(time.Second)),
			thinks: lognormal(dice, 3*time.Second, .5), quantity: 1 + dice.IntN(2), types: []string{"premium", "standard"},
			unpaid: dice.Float64() < unpaidShare, absent: dice.Float64() < absentShare,
		}
		if dice.Float64() > 1./3 {
			p.types[0], p.types[1] = p.types[1], p.types[0]
		}
		if dice.Float64() > earlyShare {
			p.arrives = time.Duration(dice.Float64() * float64(lateLength))
		}
		if dice.Float64() < leavingShare {
			p.leaves = time.Duration((.1 + dice.Float64()) * float64(time.Minute))
		}
		if dice.Float64() < reloadShare {
			p.reloads = time.Duration((.1 + dice.Float64()) * float64(time.Minute))
		}
		if i < people {
			a.people = append(a.people, p)
			continue
		}
		p.arrives = time.Duration((dice.Float64() - .2) * float64(lateLength))
		a.bots = append(a.bots, p)
	}
	return a
}

// lognormal draws a time with a median.
func lognormal(dice *rand.Rand, median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*dice.NormFloat64()))
}

func (a *audience) source(i int) *client.Client { return a.sources[i%len(a.sources)] }

// queueUp waits for a person's turn and shops.
func (s *selling) queueUp(ctx context.Context, p *shopper, v *viewers, arrives time.Time) {
	who := &queue.Person{Client: p.client, Who: p.name, EventID: s.e.id, Recorder: s.recorder}
	place, err := again(ctx, s, "join", func() (client.Place, error) { return who.Join(ctx, "") })
	if err != nil {
		return
	}
	s.joins.add(arrives)
	s.waiting.Add(1)
	admitted := s.awaitTurn(ctx, p, who, v, place)
	s.waiting.Add(-1)
	if admitted != "" {
		s.admission.Store(&admitted)
		s.shop(ctx, p, admitted)
	}
}

// awaitTurn returns the person's admission; empty if the person gave up or
// nothing is left.
func (s *selling) awaitTurn(ctx context.Context, p *shopper, who *queue.Person, v *viewers, place client.Place) string {
	leaves, reloads := after(p.leaves), after(p.reloads)
	turn := v.enter(p, place)
	for {
		select {
		case <-ctx.Done():
			return ""
		case <-leaves:
			v.leave(p)
			_, _ = again(ctx, s, "leave", func() (struct{}, error) { return struct{}{}, who.Leave(ctx) })
			return ""
		case <-reloads:
			_, _ = again(ctx, s, "reload", func() (client.Place, error) { return who.Look(ctx) })
			continue
		case called := <-turn:
			if !called || p.absent {
				return ""
			}
		}
		if !clock.Sleep(ctx, p.reacts) {
			return ""
		}
		place, err := again(ctx, s, "come", func() (client.Place, error) { return who.Come(ctx) })
		if err != nil {
			return ""
		}
		if place.State == "admitted" {
			return place.Admission
		}
		s.failures.add("called, but then " + place.State)
		if !clock.Sleep(ctx, time.Second) {
			return ""
		}
		turn = v.enter(p, place)
	}
}

// after is time.After, or never for 0.
func after(d time.Duration) <-chan time.Time {
	if d == 0 {
		return nil
	}
	return time.After(d)
}

// shop holds the best seats that are left and pays. The admission is empty
// without a queue.
func (s *selling) shop(ctx context.Context, p *shopper, admission string) {
	if !clock.Sleep(ctx, p.thinks) {
		return
	}
	who := &queue.Person{Client: p.client, Who: p.name, EventID: s.e.id, Recorder: s.recorder}
	var booking client.Booking
	for quantity := p.quantity; quantity > 0 && booking.ID == ""; quantity-- {
		for _, ticketType := range p.types {
			due, key := time.Now(), uuid.NewString()
			wanted := client.NewBooking{EventID: s.e.id, TicketTypeID: ticketType, Quantity: quantity}
			var err error
			booking, err = again(ctx, s, "hold", func() (client.Booking, error) { return who.Hold(ctx, wanted, admission, key) })
			if err == nil {
				s.holds.add(due)
				s.bought.Store(p, true)
				break
			}
			if !client.IsCode(err, "not_enough_seats") {
				return
			}
		}
	}
	switch {
	case booking.ID == "" && admission != "":
		_, _ = again(ctx, s, "leave", func() (struct{}, error) { return struct{}{}, who.Leave(ctx) })
	case booking.ID != "" && !p.unpaid && clock.Sleep(ctx, p.reacts):
		key := uuid.NewString()
		_, _ = again(ctx, s, "pay", func() (client.Payment, error) { return p.client.Pay(ctx, booking.ID, "pm_ok", key) })
	}
}

// intrude tries to hold seats without an admission, with a forged one, and with
// one of somebody else.
func (s *selling) intrude(ctx context.Context, p *shopper) {
	who := &queue.Person{Client: p.client, Who: "bot-" + p.name, EventID: s.e.id, Recorder: s.recorder}
	for _, kind := range []string{"none", "forged", "stolen"} {
		admission := ""
		if stolen := s.admission.Load(); stolen != nil && kind != "none" {
			if admission = *stolen; kind == "forged" {
				// The code of the second half authenticates the first.
				half := len(admission) / 2
				admission = admission[:half] + strings.Repeat("A", len(admission)-half)
			}
		}
		wanted := client.NewBooking{EventID: s.e.id, TicketTypeID: p.types[0], Quantity: p.quantity}
		if _, err := who.Hold(ctx, wanted, admission, ""); err == nil {
			s.intruded.Add(1)
		} else if problem := client.AsProblem(err); problem != nil && ctx.Err() == nil {
			s.failures.add("bot (" + kind + "): " + problem.Code)
		}
		if !clock.Sleep(ctx, p.thinks) {
			return
		}
	}
}

// again repeats a request while the answer is to try again later, and counts
// every answer but the wanted one.
func again[T any](ctx context.Context, s *selling, what string, call func() (T, error)) (T, error) {
	begin := time.Now()
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		out, err := call()
		if err == nil || ctx.Err() != nil {
			return out, err
		}
		problem := client.AsProblem(err)
		if problem == nil {
			s.failures.add(what + ": no answer")
		} else {
			s.failures.add(what + ": " + problem.Code)
			if problem.Status < 500 && problem.Status != 429 {
				return out, err
			}
			wait = max(wait, problem.RetryAfter)
		}
		if time.Since(begin) > retryTimeout || !clock.Sleep(ctx, wait/2+rand.N(wait)) {
			return out, err
		}
	}
}
