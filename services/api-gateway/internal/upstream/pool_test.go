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
		k := IDKey(uuid.NewSHA1(uuid.Nil, []byte{byte(i), byte(i >> 8)}).String())
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

func TestEventAndItsBookingsHaveOneKey(t *testing.T) {
	event, booking, other := uuid.New(), uuid.New(), uuid.NewString()
	copy(booking[:8], event[:8])
	key := IDKey(event.String())
	if IDKey(booking.String()) != key {
		t.Error("a booking and its event have different keys")
	}
	if IDKey(other) == key {
		t.Error("two events have the same key")
	}
	for _, body := range []string{
		`{"event_id":"` + event.String() + `","seat_ids":["12-1","13-1"]}`,
		`{"ticket_type_id":"t","quantity":2,"event_id":"` + event.String() + `"}`,
	} {
		if EventKey([]byte(body)) != key {
			t.Errorf("%s has another key than its event", body)
		}
	}
	for _, id := range []string{"", "e1", event.String()[:18]} {
		if IDKey(id).set {
			t.Errorf("the id %q has a key", id)
		}
	}
	for _, body := range []string{"", "{", "[]", `{"seat_ids":["1-1"]}`, `{"event_id":7}`, `{"event_id":"e","seat_ids":["1-1"]}`} {
		if EventKey([]byte(body)).set {
			t.Errorf("%q has a key", body)
		}
	}
}

func TestBusyOwnerIsSpared(t *testing.T) {
	key := IDKey(uuid.NewString())
	p := poolOf("a", "b", "c")
	owner := p.pick(Hashed, key, nil)
	var others []*Instance
	for _, i := range *p.instances.Load() {
		if i != owner {
			others = append(others, i)
		}
	}
	others[0].inFlight.Store(2)
	owner.inFlight.Store(ownerLimit - 1)
	if in := p.pick(Hashed, key, nil); in != owner {
		t.Errorf("picked %s, want the owner %s below its limit", in.ID, owner.ID)
	}
	owner.inFlight.Store(ownerLimit)
	for range 20 {
		if in := p.pick(Hashed, key, nil); in != others[1] {
			t.Fatalf("picked %s, want %s, the least loaded of the others", in.ID, others[1].ID)
		}
	}
	if in := p.pick(Hashed, key, others); in != owner {
		t.Errorf("picked %v, want the owner when there is no other", in)
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
