package upstream

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
)

// Pool holds the replicas of one service.
type Pool struct {
	instances atomic.Pointer[[]*Instance]
	// roundRobin counts the picks in the mode RoundRobin.
	roundRobin atomic.Uint64
	budget     budget
}

// NewPool returns a pool without instances.
func NewPool() *Pool {
	p := &Pool{}
	p.instances.Store(&[]*Instance{})
	p.budget.tenths.Store(budgetMax)
	return p
}

// Replica is the ID and address of an instance.
type Replica struct{ ID, Addr string }

// Set replaces the replicas; those that stay keep their state. Calls must not overlap.
func (p *Pool) Set(replicas []Replica) {
	old := *p.instances.Load()
	next := make([]*Instance, 0, len(replicas))
	for _, r := range replicas {
		at := slices.IndexFunc(old, func(i *Instance) bool { return i.ID == r.ID && i.Addr == r.Addr })
		if at >= 0 {
			next = append(next, old[at])
		} else {
			next = append(next, newInstance(r.ID, r.Addr))
		}
	}
	p.instances.Store(&next)
}

// Mode is a load-balancing policy.
type Mode int

// Modes.
const (
	// LeastLoaded picks the less busy of two random replicas.
	LeastLoaded Mode = iota
	// Hashed picks the key's owner by rendezvous hashing, or the less busy of two random replicas if
	// the owner has ownerLimit requests in flight.
	Hashed
	// RoundRobin picks the replicas in turn.
	RoundRobin
)

// ownerLimit is how many requests a gateway keeps in flight at an event's owner before it spreads the
// rest over the other replicas. Those do the HTTP work and forward to the owner in batches, which costs
// it far less, so one hot event can use every replica.
const ownerLimit = 256

// pick returns an instance that is not in tried, or nil if there is none. It picks an ejected instance
// only if there is no other, and never one whose breaker is open.
func (p *Pool) pick(mode Mode, key Key, tried []*Instance) *Instance {
	all := *p.instances.Load()
	var buf [8]*Instance
	usable, ejected := buf[:0], []*Instance(nil)
	for _, i := range all {
		switch {
		case slices.Contains(tried, i) || i.open():
		case i.ejected():
			ejected = append(ejected, i)
		default:
			usable = append(usable, i)
		}
	}
	if len(usable) == 0 {
		usable = ejected
	}
	if mode == Hashed && key.set && len(usable) > 1 {
		owner := slices.MaxFunc(usable, func(a, b *Instance) int {
			return cmp.Compare(rendezvous.Score(key.hash, a.hash), rendezvous.Score(key.hash, b.hash))
		})
		if owner.inFlight.Load() < ownerLimit {
			return owner
		}
		usable = slices.DeleteFunc(usable, func(i *Instance) bool { return i == owner })
	}
	switch {
	case len(usable) == 0:
		return nil
	case len(usable) == 1:
		return usable[0]
	case mode == RoundRobin:
		return usable[p.roundRobin.Add(1)%uint64(len(usable))]
	default:
		a := rand.IntN(len(usable))
		b := rand.IntN(len(usable) - 1)
		if b >= a {
			b++
		}
		if usable[b].inFlight.Load() < usable[a].inFlight.Load() {
			return usable[b]
		}
		return usable[a]
	}
}
