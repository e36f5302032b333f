// Package views keeps the last public answers about events, to be shown while
// event-service is down.
package views

import (
	"math"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// MaxBody of an answer that is kept, in bytes: a venue with the most seats fits.
	MaxBody = 24 << 20
	// defaultLimit stands in for a memory limit that is not set.
	defaultLimit = 768 << 20
	// Of the memory limit a fourth is for the answers about one event or venue and
	// the list of events, and a 32nd for searches, of which anybody can make up any
	// number.
	viewShare, searchShare = 4, 32
	// maxEntries and entryOverhead bound what small answers take.
	maxEntries    = 100_000
	entryOverhead = 1024
)

// View is an answer that anybody may see.
type View struct {
	Header http.Header
	Body   []byte
	// At is when event-service last said so.
	At time.Time
}

func (v *View) size() int { return len(v.Body) + entryOverhead }

// Store is the views by path and query. Where there is no room for one more, the
// least recently used of its kind goes: searches are those with a query.
type Store struct {
	mu              sync.Mutex
	plain, searches kind
}

// kind is the views that share a budget.
type kind struct {
	lru        *simplelru.LRU[string, *View]
	total, max int
}

// NewStore returns an empty store, sized by the process' memory limit.
func NewStore() *Store {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		limit = defaultLimit
	}
	s := &Store{plain: kind{max: max(int(limit/viewShare), MaxBody+entryOverhead)}, searches: kind{max: int(limit / searchShare)}}
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

// Get returns the view of a key, nil if none is kept. It must not be changed.
func (s *Store) Get(key string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, _ := s.kind(key).lru.Get(key)
	return v
}

// Put keeps a view, unless it is too large.
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

// Remove forgets a view that event-service says is no more.
func (s *Store) Remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kind(key).lru.Remove(key)
}
