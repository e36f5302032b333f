package e2e

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue"
)

// TestKillsLoseNoPlaceAndAdmitNobodyTwice kills each part while people wait for
// a draw and for their turns, then checks what they saw.
func TestKillsLoseNoPlaceAndAdmitNobodyTwice(t *testing.T) {
	const people, early, rows, seatsPerRow = 60, 45, 4, 10
	crowd := newBuyers(t, people)
	verify(t, crowd...)
	hall := plan(rows, seatsPerRow)
	hall.Sections, hall.Areas, hall.Categories = hall.Sections[:1], []client.NewArea{}, hall.Categories[:1]
	starts := time.Now().Add(40 * time.Second).UTC().Truncate(time.Second)
	s := newQueuedSale(t, hall, func(e *client.NewEvent) {
		e.TicketTypes, e.SaleStartsAt, e.MaxSeatsPerBuyer = e.TicketTypes[:1], starts, 1
	})
	s.control(t, "running", 30) // slow enough to kill everything meanwhile
	spread := must(running.Address("api-gateway-spread"))(t)
	gateways := []string{running.URL, "http://" + spread + "/api/v1"}
	var last func() client.Queue
	for _, gateway := range gateways {
		last = s.watch(t, visitor().At(gateway))
	}
	ctx, quit := context.WithCancel(t.Context())
	defer quit()
	visitors := make([]*visit, people)
	var done sync.WaitGroup
	come := func(from, to int) {
		for i := from; i < to; i++ {
			v := &visit{sale: s, person: s.person(crowd[i]), soldOut: func() bool { return last().State == "sold_out" }}
			v.person.Client = v.person.At(gateways[i%len(gateways)])
			visitors[i] = v
			done.Go(func() { v.run(ctx) })
		}
	}
	joined := func() (n int) { return count(visitors, func(v *visit) bool { return v.joined.Load() }) }
	admitted := func() (n int) { return count(visitors, func(v *visit) bool { return v.admitted.Load() }) }

	come(0, early)
	testkit.Eventually(t, "the first wait", func() bool { return joined() > early/2 })
	for _, victim := range []string{"redis", "booking-service-2"} {
		kill(t, victim)
	}
	testkit.Eventually(t, "all early ones wait", func() bool { return joined() == early })
	testkit.Eventually(t, "the draw takes place", func() bool { return last().Seed != "" })
	come(early, people)
	for _, victim := range []string{"redis", "booking-service-1", "booking-service-2", "booking-service-3", "api-gateway", "cassandra"} {
		before := admitted()
		testkit.Eventually(t, "people are admitted", func() bool { return admitted() > before })
		kill(t, victim)
		testkit.Eventually(t, "the others are admitted after the kill of "+victim, func() bool { return admitted() >= before+3 })
	}
	t.Logf("%d are admitted when all is killed", admitted())
	s.control(t, "running", 0)
	testkit.Eventually(t, "everything is sold", func() bool { return last().State == "sold_out" })
	done.Wait()
	for _, v := range visitors {
		if v.err != nil {
			t.Errorf("%s: %v", v.person.Who, v.err)
		}
	}
	if sold := must(s.organizer.QueueReport(t.Context(), s.event.ID))(t).Sold; sold != rows*seatsPerRow {
		t.Errorf("%d seats are sold, want %d", sold, rows*seatsPerRow)
	}
	s.check(t)
	checkLedger(t, s.sale, rows*seatsPerRow*frontPrice)
}

func count(visits []*visit, is func(*visit) bool) (n int) {
	for _, v := range visits {
		if v != nil && is(v) {
			n++
		}
	}
	return n
}

// visit is a person who waits for a turn and buys a seat.
type visit struct {
	sale             *queuedSale
	person           *queue.Person
	soldOut          func() bool
	joined, admitted atomic.Bool
	err              error
}

func (v *visit) run(ctx context.Context) {
	p := v.person
	place, err := retryUntilFinal(ctx, func(string) (client.Place, error) { return p.Join(ctx, "") })
	if err != nil {
		v.err = err
		return
	}
	v.joined.Store(true)
	for place.State != "admitted" {
		if !clock.Sleep(ctx, 500*time.Millisecond+rand.N(time.Second)) || v.soldOut() {
			return
		}
		look := p.Look // as a page does that is reloaded
		if place.State == "called" || place.State == "missed" || rand.N(4) == 0 {
			look = p.Come
		}
		if place, err = retryUntilFinal(ctx, func(string) (client.Place, error) { return look(ctx) }); err != nil {
			v.err = err
			return
		}
	}
	v.admitted.Store(true)
	booking, err := retryUntilFinal(ctx, func(key string) (client.Booking, error) {
		return p.Hold(ctx, v.sale.best("front", 1), place.Admission, key)
	})
	if client.IsCode(err, "not_enough_seats") {
		return
	}
	if err != nil {
		v.err = err
		return
	}
	_, v.err = retryUntilFinal(ctx, func(key string) (client.Payment, error) { return p.Pay(ctx, booking.ID, "pm_ok", key) })
}
