// Package views keeps the last public answers about events, to be shown while
// event-service is down.
package views

import (
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// MaxBody of an answer that is kept, in bytes: a venue with the most seats fits.
	MaxBody = 24 << 20
	// maxTotal of all that is kept, in bytes.
	maxTotal = 192 << 20
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

// Store is the views by path and query; the least recently used goes first.
type Store struct {
	mu    sync.Mutex
	lru   *simplelru.LRU[string, *View]
	total int
}

// NewStore returns an empty store.
func NewStore() *Store {
	s := &Store{}
	// The only error is a size below 1.
	s.lru, _ = simplelru.NewLRU(maxEntries, func(_ string, v *View) { s.total -= v.size() })
	return s
}

// Get returns the view of a key, nil if none is kept. It must not be changed.
func (s *Store) Get(key string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, _ := s.lru.Get(key)
	return v
}

// Put keeps a view, unless it is too large.
func (s *Store) Put(key string, v *View) {
	if len(v.Body) > MaxBody {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lru.Remove(key)
	s.total += v.size()
	s.lru.Add(key, v)
	for s.total > maxTotal {
		s.lru.RemoveOldest()
	}
}

// Remove forgets a view that event-service says is no more.
func (s *Store) Remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lru.Remove(key)
}
