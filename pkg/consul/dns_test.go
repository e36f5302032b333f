package consul

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestDNSResolverFollowsTheNameAndKeepsTheLastKnownWhileDNSIsAway(t *testing.T) {
	type answer struct {
		addresses []string
		err       error
	}
	var now atomic.Pointer[answer]
	var asked atomic.Int64
	n := names{of: map[string]string{"booking-service": "booking.svc:8084"}, lookupHost: func(_ context.Context, host string) ([]string, error) {
		if host != "booking.svc" {
			t.Errorf("looked up %q", host)
		}
		defer asked.Add(1)
		a := now.Load()
		return a.addresses, a.err
	}}
	now.Store(&answer{addresses: []string{"10.0.0.2", "10.0.0.1"}})
	r, err := NewDNSResolver(n.of)
	if err != nil {
		t.Fatal(err)
	}
	r.query = n.query
	go func() { _ = r.Run(t.Context()) }()
	shows(t, r, "10.0.0.1:8084 10.0.0.2:8084")

	now.Store(&answer{err: errors.New("no answer")})
	before := asked.Load()
	testkit.Eventually(t, "it has asked in vain", func() bool { return asked.Load() > before+1 })
	if got := addresses(r); got != "10.0.0.1:8084 10.0.0.2:8084" {
		t.Errorf("while DNS is away the instances are %q", got)
	}
}

func TestDNSResolverWithNobodyReady(t *testing.T) {
	n := names{of: map[string]string{"booking-service": "booking.svc:8084"}, lookupHost: func(context.Context, string) ([]string, error) {
		return nil, &net.DNSError{IsNotFound: true}
	}}
	found, _, err := n.query(t.Context(), "booking-service", 0, 0)
	if err != nil || len(found) != 0 {
		t.Errorf("got %v, %v", found, err)
	}
	if _, err := NewDNSResolver(map[string]string{"booking-service": "booking.svc"}); err == nil {
		t.Error("a name without a port was taken")
	}
}

func TestResolverWithoutNamesRunsUntilStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := NewDNSResolver(nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var ended atomic.Bool
		go func() {
			_ = r.Run(ctx)
			ended.Store(true)
		}()
		synctest.Wait()
		if ended.Load() {
			t.Error("it ended by itself")
		}
		stop()
		synctest.Wait()
		if !ended.Load() {
			t.Error("it did not end when it was stopped")
		}
	})
}
