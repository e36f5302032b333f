package upstream

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestPackagesImportNoDrivers(t *testing.T) {
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

func TestHashedSpreadsKeysEvenlyAndMovesOnlyThoseOfALostReplica(t *testing.T) {
	three := poolOf("booking-service-8084", "booking-service-8085", "booking-service-8086")
	two := poolOf("booking-service-8084", "booking-service-8086")
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

func TestHashedAvoidsOwnerAtItsLimit(t *testing.T) {
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
		t.Errorf("picked %v, want the owner if there is no other", in)
	}
}

func TestPickAvoidsEjectedAndNeverReturnsOpenOrTried(t *testing.T) {
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
		t.Errorf("picked %v, want the ejected replica as a last resort", in)
	}
	if in := p.pick(LeastLoaded, Key{}, all[1:]); in != nil {
		t.Errorf("picked %s whose breaker is open", in.ID)
	}
}

func TestLeastLoadedPicksTheLessBusyReplica(t *testing.T) {
	p := poolOf("a", "b")
	(*p.instances.Load())[0].inFlight.Store(5)
	for range 20 {
		if in := p.pick(LeastLoaded, Key{}, nil); in.ID != "b" {
			t.Fatalf("picked %s", in.ID)
		}
	}
}

func TestSetKeepsTheStateOfUnchangedReplicas(t *testing.T) {
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
