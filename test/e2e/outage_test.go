package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// recovery limits the recovery of the whole system, including Cassandra's start.
const recovery = 3 * time.Minute

// stop stops processes, and makes sure that the test leaves a healthy system.
func stop(t *testing.T, names ...string) {
	t.Helper()
	t.Cleanup(func() { start(t, names...) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, name := range names {
		if err := processes.Stop(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
}

// start starts stopped processes and waits until everything runs as before.
func start(t *testing.T, names ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), recovery)
	defer cancel()
	for _, name := range names {
		if err := processes.Start(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	awaitHealthy(ctx, t)
}

// kill ends a process with SIGKILL; the supervisor starts it again.
func kill(t *testing.T, name string) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), recovery)
		defer cancel()
		awaitHealthy(ctx, t)
	})
	if err := processes.Kill(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// awaitHealthy waits until every process is ready, also according to Consul.
func awaitHealthy(ctx context.Context, t *testing.T) {
	t.Helper()
	states, err := processes.States(ctx)
	if err != nil {
		t.Fatal(err)
	}
	replicas := map[string]int{}
	for name := range states {
		if err := processes.AwaitReady(ctx, name); err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(name, "-service"); i > 0 {
			replicas[name[:i]+"-service"]++
		}
	}
	for service, want := range replicas {
		testkit.Eventually(t, "all instances of "+service+" pass in Consul", func() bool {
			got, err := running.PassingInstances(ctx, service)
			return err == nil && got == want
		})
	}
	awaitServing(ctx, t)
}

// awaitServing waits until the gateway has noticed as well: each service
// answers ten times in a row.
func awaitServing(ctx context.Context, t *testing.T) {
	t.Helper()
	good := 0
	testkit.Eventually(t, "the gateway serves everything again", func() bool {
		_, events := admin.Events(ctx, nil)
		_, bookings := admin.Bookings(ctx, nil)
		_, payment := admin.Payment(ctx, newEventID())
		_, me := admin.Me(ctx)
		good++
		if events != nil || bookings != nil || me != nil || !client.IsCode(payment, "not_found") {
			good = 0
		}
		return good == 10
	})
}

// wantUnavailable waits until a call is refused with 503 and Retry-After. The
// first calls after an outage may run into a timeout, or be answered from
// caches.
func wantUnavailable(t *testing.T, what string, call func() error) {
	t.Helper()
	var last error
	defer func() {
		if t.Failed() {
			t.Logf("the last answer to %s: %v", what, last)
		}
	}()
	testkit.Eventually(t, what+" is refused with 503", func() bool {
		last = call()
		p := client.AsProblem(last)
		return p != nil && p.Status == 503 && p.RetryAfter > 0
	})
}

// mustSucceed fails the test unless the call succeeds now.
func mustSucceed(t *testing.T, what string, call func() error) {
	t.Helper()
	if err := call(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func holds(t *testing.T, buyer account, b client.NewBooking) func() error {
	return func() error { _, err := buyer.Hold(t.Context(), b, ""); return err }
}

func views(t *testing.T, s sale) func() error {
	return func() error { _, err := visitor().Event(t.Context(), s.event.ID); return err }
}

func logsIn(t *testing.T, a account) func() error {
	return func() error { _, err := visitor().Login(t.Context(), a.user.Email, password); return err }
}
