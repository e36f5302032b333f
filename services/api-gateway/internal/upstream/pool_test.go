package upstream

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestDomainKnowsNoDrivers(t *testing.T) {
	for _, p := range []string{"upstream", "route", "limit", "views"} {
		testkit.AssertNoDrivers(t, "github.com/frontrow-tickets/frontrow/services/api-gateway/internal/"+p)
	}
}

func poolOf(ids ...string) *Pool {
	p := NewPool()
	var replicas []Replica
	for _, id := range ids {
		replicas = append(replicas, Replica{ID: id, Addr: "h:" + id})
	}
	p.Set(replicas)
	return p
}

func TestKeysSpreadEvenlyAndOnlyThoseOfALostReplicaMove(t *testing.T) {
	three, two := poolOf("booking-service-8084", "booking-service-8085", "booking-service-8086"), poolOf("booking-service-8084", "booking-service-8086")
	const keys = 3000
	count := map[string]int{}
	for i := range keys {
		k := NewKey(fmt.Sprintf("event/%d", i))
		before, after := three.pick(Hashed, k, nil).ID, two.pick(Hashed, k, nil).ID
		count[before]++
		if before != "booking-service-8085" && after != before {
			t.Fatalf("key %d moved from %s to %s", i, before, after)
		}
	}
	for id, n := range count {
		if math.Abs(float64(n)-keys/3) > keys/30 {
			t.Errorf("%s has %d of %d keys", id, n, keys)
		}
	}
}

func TestBlockKeyIsTheBlockOfTheFirstSeat(t *testing.T) {
	e, f := uuid.NewString(), uuid.NewString()
	for name, c := range map[string]struct {
		body string
		same string
		want bool
	}{
		"same block":         {`{"event_id":"` + e + `","seat_ids":["12-1","13-1"]}`, `{"event_id":"` + e + `","seat_ids":["12-200"]}`, true},
		"other block":        {`{"event_id":"` + e + `","seat_ids":["12-1"]}`, `{"event_id":"` + e + `","seat_ids":["1-12"]}`, false},
		"other event":        {`{"event_id":"` + e + `","seat_ids":["12-1"]}`, `{"event_id":"` + f + `","seat_ids":["12-1"]}`, false},
		"other quantity":     {`{"event_id":"` + e + `","ticket_type_id":"t","quantity":1}`, `{"event_id":"` + e + `","ticket_type_id":"t","quantity":3}`, true},
		"type named as seat": {`{"event_id":"` + e + `","ticket_type_id":"12"}`, `{"event_id":"` + e + `","seat_ids":["12-1"]}`, false},
	} {
		if got := BlockKey([]byte(c.body)) == BlockKey([]byte(c.same)); got != c.want {
			t.Errorf("%s: together %v, want %v", name, got, c.want)
		}
	}
	for _, body := range []string{"", "{", "[]", `{"seat_ids":["1-1"]}`, `{"event_id":7}`, `{"event_id":"e","seat_ids":["1-1"]}`} {
		if BlockKey([]byte(body)).set {
			t.Errorf("%q has a key", body)
		}
	}
}

func TestPickAvoidsEjectedAndNeverTakesOpenOrTried(t *testing.T) {
	p := poolOf("a", "b", "c")
	all := *p.instances.Load()
	for range tripAfter {
		done, err := all[0].breaker.Allow()
		if err != nil {
			t.Fatal(err)
		}
		done(fmt.Errorf("broken"))
	}
	all[1].eject()
	for range 50 {
		if in := p.pick(LeastLoaded, Key{}, nil); in.ID != "c" {
			t.Fatalf("picked %s", in.ID)
		}
	}
	if in := p.pick(LeastLoaded, Key{}, all[2:]); in == nil || in.ID != "b" {
		t.Errorf("the ejected one is the last resort, picked %v", in)
	}
	if in := p.pick(LeastLoaded, Key{}, all[1:]); in != nil {
		t.Errorf("picked %s whose breaker is open", in.ID)
	}
}

func TestPickTakesTheLessBusy(t *testing.T) {
	p := poolOf("a", "b")
	(*p.instances.Load())[0].inFlight.Store(5)
	for range 20 {
		if in := p.pick(LeastLoaded, Key{}, nil); in.ID != "b" {
			t.Fatalf("picked %s", in.ID)
		}
	}
}

func TestReplicaThatStaysKeepsItsState(t *testing.T) {
	p := poolOf("a", "b")
	a := (*p.instances.Load())[0]
	p.Set([]Replica{{"c", "h:c"}, {"a", "h:a"}})
	if got := *p.instances.Load(); len(got) != 2 || got[1] != a {
		t.Errorf("instances %v", got)
	}
	p.Set([]Replica{{"a", "elsewhere:1"}})
	if (*p.instances.Load())[0] == a {
		t.Error("a replica at a new address kept the state of the old")
	}
}

func TestRetriesAreBoundedToAShareOfTheRequests(t *testing.T) {
	b := &budget{}
	b.tenths.Store(budgetMax)
	const requests = 1000
	granted := 0
	for range requests {
		b.deposit()
		if b.withdraw() {
			granted++
		}
	}
	if want := requests*budgetDeposit/budgetCost + budgetMax/budgetCost; granted > want || granted < want-2 {
		t.Errorf("%d retries for %d failing requests, want %d", granted, requests, want)
	}
}

func TestBreakerTriesOneRequestAfterAPause(t *testing.T) {
	in := newInstance("a", "h:1")
	for range tripAfter {
		done, _ := in.breaker.Allow()
		done(fmt.Errorf("broken"))
	}
	if !in.open() {
		t.Fatal("not open after the failures")
	}
	if _, err := in.breaker.Allow(); err == nil {
		t.Fatal("an open breaker let a request through")
	}
	testkit.Eventually(t, "half open", func() bool { return !in.open() })
	done, err := in.breaker.Allow()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.breaker.Allow(); err == nil {
		t.Error("a second probe was let through")
	}
	done(nil)
	if _, err := in.breaker.Allow(); err != nil {
		t.Errorf("after a good probe: %v", err)
	}
}
