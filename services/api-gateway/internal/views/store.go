package views

import (
	"math"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// MaxBody is the largest body that is cached, in bytes: a venue with the most seats fits.
	MaxBody = 24 << 20
	// defaultLimit is the memory limit in bytes if the process has none.
	defaultLimit = 768 << 20
	// The cache may use a fourth of the memory limit for responses about single events and venues and the
	// list of events, and a 32nd for searches, which clients can vary without limit.
	viewShare, searchShare = 4, 32
	// maxEntries and entryOverhead limit what small responses use.
	maxEntries    = 100_000
	entryOverhead = 1024
)

// Store holds the views by path and query. When it is full, the least recently used view of the same kind
// is evicted. Searches are the views with a query.
type Store struct {
	mu              sync.Mutex
	plain, searches kind
}

// kind is the set of views that share a budget.
type kind struct {
	lru        *simplelru.LRU[string, *View]
	total, max int
}

// NewStore returns an empty store, sized by the process's memory limit.
func NewStore() *Store {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		limit = defaultLimit
	}
	s := &Store{
		plain:    kind{max: max(int(limit/viewShare), MaxBody+entryOverhead)},
		searches: kind{max: int(limit / searchShare)},
	}
	for _, k := range []*kind{&s.plain, &s.searches} {
		// The only error is a size below 1.
		k.lru, _ = simplelru.NewLRU(maxEntries, func(_ string, v *View) { k.total -= v.size() })
	}
	return s
}

func (s *Store) kind(key string) *kind {
	if strings.Contains(key, "?") {
		return &s.searches
	}
	return &s.plain
}

// Get returns the view of a key, or nil if there is none. It must not be changed.
func (s *Store) Get(key string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, _ := s.kind(key).lru.Get(key)
	return v
}

// Put stores a view, unless it is too large.
func (s *Store) Put(key string, v *View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kind(key)
	if len(v.Body) > MaxBody || v.size() > k.max {
		return
	}
	k.lru.Remove(key)
	k.total += v.size()
	k.lru.Add(key, v)
	for k.total > k.max {
		k.lru.RemoveOldest()
	}
}

// Remove drops a view that no longer exists at event-service.
func (s *Store) Remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kind(key).lru.Remove(key)
}
