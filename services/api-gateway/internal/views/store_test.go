package views

import (
	"runtime/debug"
	"strconv"
	"testing"
)

func TestStoreEvictsTheLeastRecentlyUsed(t *testing.T) {
	s := NewStore()
	big := make([]byte, MaxBody)
	s.Put("first", &View{Body: []byte("x")})
	s.Put("used", &View{Body: []byte("x")})
	for i := range s.plain.max / MaxBody * 2 {
		if s.Get("used") == nil {
			t.Fatal("a recently used view was evicted")
		}
		s.Put(strconv.Itoa(i), &View{Body: big})
		if s.plain.total > s.plain.max {
			t.Fatalf("%d bytes are cached, want at most %d", s.plain.total, s.plain.max)
		}
	}
	if s.Get("first") != nil {
		t.Error("the least recently used is still there")
	}
	s.Put("too large", &View{Body: make([]byte, MaxBody+1)})
	if s.Get("too large") != nil {
		t.Error("a view over the limit was kept")
	}
}

func TestReplacedAndRemovedViewsFreeTheirBytes(t *testing.T) {
	s := NewStore()
	for range 3 {
		s.Put("a", &View{Body: make([]byte, 1000)})
	}
	s.Remove("a")
	s.Remove("a")
	if s.plain.total != 0 || s.Get("a") != nil {
		t.Errorf("%d bytes left", s.plain.total)
	}
}

func TestSearchesDoNotEvictViews(t *testing.T) {
	s := NewStore()
	s.Put("/events/1", &View{Body: []byte("x")})
	for i := range 10_000 {
		s.Put("/events?q="+strconv.Itoa(i), &View{Body: make([]byte, 100_000)})
	}
	if s.Get("/events/1") == nil {
		t.Error("a view was evicted")
	}
	if s.searches.total > s.searches.max || s.Get("/events?q=9999") == nil || s.Get("/events?q=0") != nil {
		t.Errorf("%d bytes of searches are cached", s.searches.total)
	}
}

func TestStoreIsSizedByTheMemoryLimit(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20))
	if s := NewStore(); s.plain.max != 64<<20 || s.searches.max != 8<<20 {
		t.Errorf("%d and %d bytes", s.plain.max, s.searches.max)
	}
}
