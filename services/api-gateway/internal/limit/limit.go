// Package limit limits the requests per second of each caller.
package limit

import (
	"context"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/time/rate"
)

const (
	shards = 64
	// maxPerShard limits memory: beyond it, random callers are evicted.
	maxPerShard = 4096
	// idleAfter is when an idle caller is evicted; its bucket is full long before.
	idleAfter = time.Minute
)

// Limiter has a token bucket for each key.
type Limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time
	parts [shards]shard
}

type shard struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens *rate.Limiter
	used   time.Time
}

// New returns a limiter that allows perSecond requests a second, and bursts of twice as many.
func New(perSecond float64) *Limiter {
	l := &Limiter{rate: rate.Limit(perSecond), burst: max(1, int(2*perSecond)), now: time.Now}
	for i := range l.parts {
		l.parts[i].buckets = map[string]*bucket{}
	}
	return l
}

// Wait returns 0 if a request of key may pass now, otherwise how long the caller should wait.
func (l *Limiter) Wait(key string) time.Duration {
	now := l.now()
	s := &l.parts[xxhash.Sum64String(key)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[key]
	if !ok {
		if len(s.buckets) >= maxPerShard {
			for k := range s.buckets {
				delete(s.buckets, k)
				break
			}
		}
		b = &bucket{tokens: rate.NewLimiter(l.rate, l.burst)}
		s.buckets[key] = b
	}
	b.used = now
	if b.tokens.AllowN(now, 1) {
		return 0
	}
	missing := 1 - b.tokens.TokensAt(now)
	return time.Duration(missing / float64(l.rate) * float64(time.Second))
}

// Run removes idle callers until ctx ends, then returns nil.
func (l *Limiter) Run(ctx context.Context) error {
	ticker := time.NewTicker(idleAfter / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			l.evictIdle()
		}
	}
}

func (l *Limiter) evictIdle() {
	before := l.now().Add(-idleAfter)
	for i := range l.parts {
		s := &l.parts[i]
		s.mu.Lock()
		for k, b := range s.buckets {
			if b.used.Before(before) {
				delete(s.buckets, k)
			}
		}
		s.mu.Unlock()
	}
}
