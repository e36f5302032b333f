package redis

import (
	"context"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// One suite for all implementations: shared, local, and shared with Redis down.
func TestAttempts(t *testing.T) {
	connected := func(url string) *Attempts {
		rdb, err := redisclient.New(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { rdb.Close() })
		return NewAttempts(rdb)
	}
	for name, a := range map[string]auth.Attempts{
		"memory":     &auth.MemoryAttempts{Clock: clock.System{}},
		"redis":      connected(testkit.Redis(t)),
		"redis down": connected("redis://" + testkit.FreeAddr(t)),
	} {
		t.Run(name, func(t *testing.T) { conforms(t, a) })
	}
}

func conforms(t *testing.T, a auth.Attempts) {
	ctx := context.Background()
	email, addr := testkit.Unique("e"), testkit.Unique("a")
	fail := func(n int, email, addr string) {
		for range n {
			a.Failed(ctx, email, addr)
		}
	}
	blocked := func(what string, want bool, email, addr string) {
		t.Helper()
		if d := a.Blocked(ctx, email, addr); (d > 0) != want || d > auth.Window || want && d < auth.Window/2 {
			t.Errorf("%s: Blocked = %v, want blocked %v", what, d, want)
		}
	}
	blocked("fresh", false, email, addr)
	fail(auth.MaxFailuresPerAccount-1, email, addr)
	blocked("one failure below the limit", false, email, addr)
	if !a.Failed(ctx, email, addr) || a.Failed(ctx, email, addr) {
		t.Error("only the failure that reaches the limit must begin a lock-out")
	}
	blocked("at the limit", true, email, addr)
	blocked("same account from elsewhere", true, email, testkit.Unique("a"))
	blocked("another account from the same address", false, testkit.Unique("e"), addr)
	a.Succeeded(ctx, email)
	blocked("after a success", false, email, addr)
	for range auth.MaxFailuresPerAddress - auth.MaxFailuresPerAccount - 1 {
		fail(1, testkit.Unique("e"), addr)
	}
	a.Succeeded(ctx, email)
	blocked("address at its limit", true, email, addr)
	blocked("the account elsewhere", false, email, testkit.Unique("a"))
}
