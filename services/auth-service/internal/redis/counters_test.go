package redis

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// One suite for all implementations: shared, local, and shared with Redis down.
func TestCounters(t *testing.T) {
	connected := func(url string) *Counters {
		rdb, err := redisclient.New(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { rdb.Close() })
		return NewCounters(rdb)
	}
	for name, c := range map[string]auth.Counters{
		"memory":     &auth.MemoryCounters{Clock: clock.System{}},
		"redis":      connected(testkit.Redis(t)),
		"redis down": connected("redis://" + testkit.FreeAddr(t)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("add", func(t *testing.T) { addCounts(t, c) })
			t.Run("take", func(t *testing.T) { takeCountsAllOrNothing(t, c) })
			t.Run("concurrent", func(t *testing.T) { takeIsAtomic(t, c) })
			t.Run("window", func(t *testing.T) { windowEnds(t, c) })
		})
	}
}

func limit(maximum int) auth.Limit {
	return auth.Limit{Key: testkit.Unique("l"), Max: maximum, Window: time.Hour}
}

func wantWait(t *testing.T, what string, got time.Duration, waits bool) {
	t.Helper()
	if (got > 0) != waits || got > time.Hour || waits && got < time.Hour/2 {
		t.Errorf("%s: wait %v, want to wait %v", what, got, waits)
	}
}

func addCounts(t *testing.T, c auth.Counters) {
	ctx := context.Background()
	two, three := limit(2), limit(3)
	both := []auth.Limit{three, two}
	wantWait(t, "fresh", c.Wait(ctx, both), false)
	for n, want := range []bool{false, true, true, false} {
		if reached := c.Add(ctx, both); reached != want {
			t.Errorf("count %d: reached %v, want %v", n+1, reached, want)
		}
		wantWait(t, "limit 2", c.Wait(ctx, []auth.Limit{two}), n >= 1)
		wantWait(t, "limit 3", c.Wait(ctx, []auth.Limit{three}), n >= 2)
		wantWait(t, "both limits", c.Wait(ctx, both), n >= 1)
	}
	c.Reset(ctx, []auth.Limit{two})
	wantWait(t, "limit 2 after its reset", c.Wait(ctx, []auth.Limit{two}), false)
	wantWait(t, "limit 3 after the other's reset", c.Wait(ctx, []auth.Limit{three}), true)
}

func takeCountsAllOrNothing(t *testing.T, c auth.Counters) {
	ctx := context.Background()
	one, two := limit(1), limit(2)
	wantWait(t, "first", c.Take(ctx, []auth.Limit{one, two}), false)
	wantWait(t, "the limit of 1 is reached", c.Take(ctx, []auth.Limit{two, one}), true)
	wantWait(t, "a refusal must not count", c.Take(ctx, []auth.Limit{two}), false)
	wantWait(t, "the limit of 2 is reached", c.Take(ctx, []auth.Limit{two}), true)
	wantWait(t, "no limit", c.Take(ctx, nil), false)
}

func takeIsAtomic(t *testing.T, c auth.Counters) {
	ten := []auth.Limit{limit(10)}
	taken := make(chan bool, 40)
	var group sync.WaitGroup
	for range cap(taken) {
		group.Go(func() { taken <- c.Take(context.Background(), ten) == 0 })
	}
	group.Wait()
	n := 0
	for range cap(taken) {
		if <-taken {
			n++
		}
	}
	if n != 10 {
		t.Errorf("%d were allowed at once, want 10", n)
	}
}

func windowEnds(t *testing.T, c auth.Counters) {
	short := []auth.Limit{{Key: testkit.Unique("l"), Max: 1, Window: 50 * time.Millisecond}}
	c.Add(context.Background(), short)
	testkit.Eventually(t, "the window ends", func() bool { return c.Wait(context.Background(), short) == 0 })
	if !c.Add(context.Background(), short) {
		t.Error("the next window does not begin at zero")
	}
}
