package consul

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func resolve(t *testing.T, addr string, grace time.Duration) *Resolver {
	t.Helper()
	r, err := NewResolver(addr, "booking-service")
	if err != nil {
		t.Fatal(err)
	}
	r.grace = grace
	go func() { _ = r.Run(t.Context()) }()
	return r
}

func addresses(r *Resolver) string {
	var s []string
	for _, i := range r.Instances("booking-service") {
		s = append(s, i.Addr)
	}
	return strings.Join(s, " ")
}

func shows(t *testing.T, r *Resolver, want string) {
	t.Helper()
	testkit.Eventually(t, "instances are "+want, func() bool { return addresses(r) == want })
}

func TestResolverFollowsChanges(t *testing.T) {
	a := newAgent()
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	r := resolve(t, srv.Listener.Addr().String(), time.Minute)
	calls := make(chan int, 10)
	r.OnChange(func(_ string, in []Instance) { calls <- len(in) })

	a.say("2", "b=127.0.0.1:2", "a=127.0.0.1:1")
	shows(t, r, "127.0.0.1:1 127.0.0.1:2")
	if n := <-calls; n != 2 {
		t.Errorf("callback got %d instances, want 2", n)
	}
	// A dead instance is removed at once while Consul is up.
	a.say("3", "b=127.0.0.1:2")
	shows(t, r, "127.0.0.1:2")
	a.say("4")
	shows(t, r, "")
}

func TestResolverKeepsLastKnownWhileConsulIsDownAndWhenItReturnsEmpty(t *testing.T) {
	a := newAgent()
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	l := newLink(t, srv.Listener.Addr().String())
	r := resolve(t, l.addr, time.Minute)
	a.say("20", "a=127.0.0.1:1", "b=127.0.0.1:2")
	shows(t, r, "127.0.0.1:1 127.0.0.1:2")

	l.cut()
	a.say("2", "c=127.0.0.1:3")
	l.restore(t)
	// c shows that the response of the restarted Consul has been applied.
	shows(t, r, "127.0.0.1:1 127.0.0.1:2 127.0.0.1:3")
}

func TestResolverDropsMissingInstanceAfterGrace(t *testing.T) {
	a := newAgent()
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	r := resolve(t, srv.Listener.Addr().String(), 300*time.Millisecond)
	a.say("20", "a=127.0.0.1:1", "b=127.0.0.1:2")
	shows(t, r, "127.0.0.1:1 127.0.0.1:2")
	// The index decreases: Consul has lost its state.
	a.say("2", "b=127.0.0.1:2")
	shows(t, r, "127.0.0.1:2")
}

func TestReturnedInstanceAtANewAddressReplacesItsOldOne(t *testing.T) {
	got := union([]Instance{{"a", "h:9"}}, []Instance{{"a", "h:1"}, {"b", "h:2"}, {"c", "h:9"}})
	want := []Instance{{"a", "h:9"}, {"b", "h:2"}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("union = %v, want %v", got, want)
	}
}
