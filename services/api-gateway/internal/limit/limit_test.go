package limit

import (
	"strconv"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

func newLimiter(perSecond float64) (*Limiter, *clock.Manual) {
	c := clock.NewManual(time.Now())
	l := New(perSecond)
	l.now = c.Now
	return l, c
}

func TestBurstPassesThenTheRate(t *testing.T) {
	l, c := newLimiter(10)
	for i := range 20 {
		if w := l.Wait("a"); w != 0 {
			t.Fatalf("request %d of the burst must wait %v", i, w)
		}
	}
	if w := l.Wait("a"); w <= 0 || w > 100*time.Millisecond {
		t.Errorf("after the burst: wait %v, want up to 100ms", w)
	}
	if w := l.Wait("b"); w != 0 {
		t.Errorf("another caller must wait %v", w)
	}
	c.Advance(time.Second)
	passed := 0
	for range 20 {
		if l.Wait("a") == 0 {
			passed++
		}
	}
	if passed != 10 {
		t.Errorf("%d passed after a second, want 10", passed)
	}
}

func TestMemoryIsBoundedAndIdleCallersAreEvicted(t *testing.T) {
	l, c := newLimiter(10)
	count := func() (n int) {
		for i := range l.parts {
			n += len(l.parts[i].buckets)
		}
		return n
	}
	for i := range shards*maxPerShard + 10_000 {
		l.Wait(strconv.Itoa(i))
	}
	if n := count(); n > shards*maxPerShard {
		t.Errorf("%d callers are tracked, want at most %d", n, shards*maxPerShard)
	}
	c.Advance(idleAfter + time.Second)
	l.Wait("fresh")
	l.evictIdle()
	if n := count(); n != 1 {
		t.Errorf("%d callers are tracked, want the fresh one", n)
	}
}
