package auth

import (
	"context"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// maxCounters limits the memory of MemoryAttempts.
const maxCounters = 100_000

// MemoryAttempts counts failed log-ins in this process. It is the fallback
// while the shared count is unavailable: an attacker then has the full number
// of tries at each replica.
type MemoryAttempts struct {
	Clock clock.Clock

	mu       sync.Mutex
	failures map[string]counter
}

type counter struct {
	n   int
	end time.Time
}

// Blocked returns how long log-ins of email from addr are refused.
func (m *MemoryAttempts) Blocked(_ context.Context, email, addr string) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.left("a "+email, MaxFailuresPerAccount), m.left("n "+addr, MaxFailuresPerAddress))
}

func (m *MemoryAttempts) left(key string, limit int) time.Duration {
	if c := m.failures[key]; c.n >= limit {
		return max(c.end.Sub(m.Clock.Now()), 0)
	}
	return 0
}

// Failed counts a failure.
func (m *MemoryAttempts) Failed(_ context.Context, email, addr string) (lockedOut bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Clock.Now()
	if m.failures == nil {
		m.failures = map[string]counter{}
	}
	if len(m.failures) >= maxCounters {
		m.evict(now)
	}
	for key, limit := range map[string]int{"a " + email: MaxFailuresPerAccount, "n " + addr: MaxFailuresPerAddress} {
		c := m.failures[key]
		if !now.Before(c.end) {
			c = counter{end: now.Add(Window)}
		}
		c.n++
		m.failures[key] = c
		lockedOut = lockedOut || c.n == limit
	}
	return lockedOut
}

// evict drops expired counters, and random ones if that is not enough.
func (m *MemoryAttempts) evict(now time.Time) {
	for key, c := range m.failures {
		if !now.Before(c.end) {
			delete(m.failures, key)
		}
	}
	for key := range m.failures {
		if len(m.failures) < maxCounters*9/10 {
			return
		}
		delete(m.failures, key)
	}
}

// Succeeded resets the failures of email.
func (m *MemoryAttempts) Succeeded(_ context.Context, email string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.failures, "a "+email)
}
