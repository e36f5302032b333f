package views

import (
	"strconv"
	"testing"
)

func TestStoreIsBoundedByBytesAndForgetsTheLeastUsed(t *testing.T) {
	s := NewStore()
	big := make([]byte, MaxBody)
	s.Put("first", &View{Body: []byte("x")})
	s.Put("used", &View{Body: []byte("x")})
	for i := range maxTotal / MaxBody * 2 {
		if s.Get("used") == nil {
			t.Fatal("what is used was forgotten")
		}
		s.Put(strconv.Itoa(i), &View{Body: big})
		if s.total > maxTotal {
			t.Fatalf("%d bytes are kept, want at most %d", s.total, maxTotal)
		}
	}
	if s.Get("first") != nil {
		t.Error("the least recently used is still there")
	}
	s.Put("too large", &View{Body: make([]byte, MaxBody+1)})
	if s.Get("too large") != nil {
		t.Error("an answer over the limit was kept")
	}
}

func TestReplacingAndRemovingGiveTheBytesBack(t *testing.T) {
	s := NewStore()
	for range 3 {
		s.Put("a", &View{Body: make([]byte, 1000)})
	}
	s.Remove("a")
	s.Remove("a")
	if s.total != 0 || s.Get("a") != nil {
		t.Errorf("%d bytes left", s.total)
	}
}
