// Package upstream sends requests to the services' replicas: it picks a replica, retries at another
// where that is safe, and avoids failing ones.
package upstream

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
)

const (
	// After tripAfter failures in a row an instance's breaker is open for openFor; then one request
	// probes it.
	tripAfter = 5
	openFor   = 2 * time.Second
	// ejectFor is how long an instance whose connection failed is avoided while there are others.
	ejectFor = time.Second
)

// errCallerLeft is reported to a breaker for an attempt that the caller gave up. It says nothing about
// the replica, so it counts neither as a success nor as a failure.
var errCallerLeft = errors.New("caller left")

// Instance is one replica of a service.
type Instance struct {
	ID string
	// Addr is host:port.
	Addr string

	hash uint64
	// inFlight counts the requests in flight.
	inFlight atomic.Int64

	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	// ejectedUntil is in Unix nanoseconds.
	ejectedUntil atomic.Int64
}

func newInstance(id, addr string) *Instance {
	return &Instance{
		ID: id, Addr: addr, hash: rendezvous.Hash(id),
		breaker: gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name: id, MaxRequests: 1, Timeout: openFor,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
			IsExcluded:  func(err error) bool { return errors.Is(err, errCallerLeft) },
			OnStateChange: func(name string, _, to gobreaker.State) {
				breakerChanges.WithLabelValues(name, to.String()).Inc()
			},
		}),
	}
}

func (i *Instance) open() bool { return i.breaker.State() == gobreaker.StateOpen }

func (i *Instance) eject() { i.ejectedUntil.Store(time.Now().Add(ejectFor).UnixNano()) }

func (i *Instance) ejected() bool {
	until := i.ejectedUntil.Load()
	return until != 0 && time.Now().UnixNano() < until
}
