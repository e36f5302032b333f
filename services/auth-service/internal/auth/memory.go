package auth

import (
	"context"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// maxCounters limits the memory of MemoryCounters.
const maxCounters = 100_000

// MemoryCounters counts in this process. It is the fallback while the shared
// count is unavailable: an attacker then has the full number of tries at each
// replica.
type MemoryCounters struct {
	Clock clock.Clock

	mu     sync.Mutex
	counts map[string]counter
}

type counter struct {
	n   int
	end time.Time
}

// Wait returns how long a limit stays reached.
func (m *MemoryCounters) Wait(_ context.Context, limits []Limit) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wait(limits)
}

func (m *MemoryCounters) wait(limits []Limit) (wait time.Duration) {
	for _, l := range limits {
		if c := m.counts[l.Key]; c.n >= l.Max {
			wait = max(wait, c.end.Sub(m.Clock.Now()))
		}
	}
	return wait
}

// Add counts once for each limit.
func (m *MemoryCounters) Add(_ context.Context, limits []Limit) (reached bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(limits)
}

func (m *MemoryCounters) add(limits []Limit) (reached bool) {
	now := m.Clock.Now()
	if m.counts == nil {
		m.counts = map[string]counter{}
	}
	if len(m.counts) >= maxCounters {
		m.evict(now)
	}
	for _, l := range limits {
		c := m.counts[l.Key]
		if !now.Before(c.end) {
			c = counter{end: now.Add(l.Window)}
		}
		c.n++
		m.counts[l.Key] = c
		reached = reached || c.n == l.Max
	}
	return reached
}

// Take counts once for each limit, unless one of them is reached.
func (m *MemoryCounters) Take(_ context.Context, limits []Limit) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	wait := m.wait(limits)
	if wait == 0 {
		m.add(limits)
	}
	return wait
}

// Reset sets the counts to zero.
func (m *MemoryCounters) Reset(_ context.Context, limits []Limit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range limits {
		delete(m.counts, l.Key)
	}
}

// evict drops expired counters, and random ones if that is not enough.
func (m *MemoryCounters) evict(now time.Time) {
	for key, c := range m.counts {
		if !now.Before(c.end) {
			delete(m.counts, key)
		}
	}
	for key := range m.counts {
		if len(m.counts) < maxCounters*9/10 {
			return
		}
		delete(m.counts, key)
	}
}
