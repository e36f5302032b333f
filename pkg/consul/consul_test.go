package consul

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func direct(t *testing.T) *api.Client {
	t.Helper()
	c, err := newClient(testkit.Consul(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRegistrationIsRestoredAfterAgentLosesItAndRemovedOnStop(t *testing.T) {
	var ready atomic.Bool
	ready.Store(true)
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer admin.Close()
	_, port, _ := net.SplitHostPort(admin.Listener.Addr().String())
	name := testkit.Unique("svc")
	reg, err := NewRegistration(testkit.Consul(t), Service{
		Name: name, ID: name + "-1", Address: "127.0.0.1:7", AdminAddress: ":" + port,
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := NewResolver(testkit.Consul(t), name)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = res.Run(t.Context()) }()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = reg.Run(ctx) }()

	here := func() bool {
		in := res.Instances(name)
		return len(in) == 1 && in[0] == Instance{name + "-1", "127.0.0.1:7"}
	}
	gone := func() bool { return len(res.Instances(name)) == 0 }
	testkit.Eventually(t, "the instance is healthy", here)

	if err := direct(t).Agent().ServiceDeregister(name + "-1"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the agent lost it", gone)
	testkit.Eventually(t, "it is registered again", here)

	ready.Store(false)
	testkit.Eventually(t, "an instance that is not ready leaves", gone)
	ready.Store(true)
	testkit.Eventually(t, "it is ready again", here)

	stop()
	<-ended
	if _, _, err := direct(t).Agent().Service(name+"-1", nil); err == nil {
		t.Error("still registered after the stop")
	}
}

func TestRegistrationWithoutConsulDoesNothing(t *testing.T) {
	reg, err := NewRegistration("", Service{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := reg.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestRegistrationSurvivesConsulOutage(t *testing.T) {
	l := newLink(t, testkit.Consul(t))
	l.cut()
	name := testkit.Unique("svc")
	reg, err := NewRegistration(l.addr, Service{Name: name, ID: name, Address: "127.0.0.1:7", AdminAddress: "127.0.0.1:8"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- reg.Run(ctx) }()
	l.restore(t)
	testkit.Eventually(t, "registered once Consul is there", func() bool {
		_, _, err := direct(t).Agent().Service(name, nil)
		return err == nil
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func newLocks(t *testing.T, addr, owner string) *Locks {
	t.Helper()
	l, err := NewLocks(addr, owner)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// candidate contends for names and counts the terms it currently holds.
func candidate(ctx context.Context, l *Locks, names []string, leading *atomic.Int32) {
	go func() { _ = l.Run(ctx) }()
	for _, n := range names {
		go l.Lock(ctx, n, func(ctx context.Context) {
			leading.Add(1)
			<-ctx.Done()
			leading.Add(-1)
		})
	}
}

func TestLocksMoveToAnotherProcessWhenTheLeaderLosesConsulOrStops(t *testing.T) {
	names := []string{testkit.Unique("a"), testkit.Unique("b"), testkit.Unique("c")}
	t.Cleanup(func() {
		for _, n := range names {
			_, _ = direct(t).KV().Delete(lockPrefix+n, nil)
		}
	})
	l := newLink(t, testkit.Consul(t))
	var first, second, third atomic.Int32
	candidate(t.Context(), newLocks(t, l.addr, "first"), names, &first)
	testkit.Eventually(t, "the first leads all", func() bool { return first.Load() == 3 })

	ctx, stop := context.WithCancel(t.Context())
	candidate(ctx, newLocks(t, testkit.Consul(t), "second"), names, &second)
	l.cut()
	testkit.Eventually(t, "the second leads all", func() bool {
		if second.Load() > 0 && first.Load() == 3 {
			t.Fatal("the first still leads all while the second does")
		}
		return second.Load() == 3
	})
	testkit.Eventually(t, "the first stepped down", func() bool { return first.Load() == 0 })

	// A stopping leader releases its lock without waiting for the session to
	// end.
	candidate(t.Context(), newLocks(t, testkit.Consul(t), "third"), names, &third)
	stop()
	testkit.Eventually(t, "the third leads all", func() bool { return third.Load() == 3 && second.Load() == 0 })
}

func TestLockIsContendedForAgainWhenTheCallbackReturns(t *testing.T) {
	name := testkit.Unique("again")
	t.Cleanup(func() { _, _ = direct(t).KV().Delete(lockPrefix+name, nil) })
	l := newLocks(t, testkit.Consul(t), "one")
	go func() { _ = l.Run(t.Context()) }()
	var terms atomic.Int32
	go l.Lock(t.Context(), name, func(context.Context) { terms.Add(1) })
	testkit.Eventually(t, "two terms", func() bool { return terms.Load() >= 2 })
}

func TestLockWithoutConsulIsGranted(t *testing.T) {
	l := newLocks(t, "", "alone")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	led := make(chan struct{})
	go l.Lock(ctx, "anything", func(ctx context.Context) { close(led); <-ctx.Done() })
	<-led
}

// In a cluster, Consul's own variables have the token and the authority.
func TestClientTakesTokenAndAuthorityFromConsulsVariables(t *testing.T) {
	tokens := make(chan string, 1)
	agent := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tokens <- r.Header.Get("X-Consul-Token")
	}))
	defer agent.Close()
	authority := filepath.Join(t.TempDir(), "ca.crt")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: agent.Certificate().Raw})
	if err := os.WriteFile(authority, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	register := func() error {
		c, err := newClient(agent.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: "booking-service"})
	}
	t.Setenv("CONSUL_HTTP_TOKEN", "a-token")
	t.Setenv("CONSUL_HTTP_SSL", "true")
	if err := register(); err == nil {
		t.Error("an agent with a certificate of an unknown authority was accepted")
	}
	t.Setenv("CONSUL_CACERT", authority)
	if err := register(); err != nil {
		t.Fatal(err)
	}
	if got := <-tokens; got != "a-token" {
		t.Errorf("the token is %q", got)
	}
}

func TestRequestsLeaveNoIdleConnection(t *testing.T) {
	var open atomic.Int32
	agent := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	agent.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s { //nolint:exhaustive // a connection opens and closes
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	agent.Start()
	defer agent.Close()
	c, err := newClient(agent.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Agent().ServiceDeregister("booking-service-1"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the connection is closed", func() bool { return open.Load() == 0 })
}
