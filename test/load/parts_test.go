package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

func TestSplitGivesEveryPartItsShareOfTheDemand(t *testing.T) {
	s := &backlog{}
	for i := range 14 {
		s.requests = append(s.requests, holdRequest{buyer: i})
	}
	parts := s.split(5, 1)
	buyers := func(s *backlog) (out []int) {
		for _, w := range s.requests {
			out = append(out, w.buyer)
		}
		return out
	}
	if got := buyers(parts[1]); !slices.Equal(got, []int{5, 11}) {
		t.Errorf("the small part has %v", got)
	}
	if got := buyers(parts[0]); !slices.Equal(got, []int{0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13}) {
		t.Errorf("the large part has %v", got)
	}
}

func TestQuotientsSkipUndefinedPairs(t *testing.T) {
	if got := quotients([]float64{1, 2, 3, 4}, []float64{2, 0, 6}); !slices.Equal(got, []float64{.5, .5}) {
		t.Errorf("%v", got)
	}
}

func TestHeapAllocIsFound(t *testing.T) {
	text := "heap profile: 1: 2 [3: 4] @ heap/1048576\n" + strings.Repeat("x", 100_000) + "\n# Alloc = 1\n# HeapAlloc = 12345678\n# HeapSys = 3\n"
	got, err := heapAlloc(strings.NewReader(text))
	if err != nil || got != 12345678 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := heapAlloc(strings.NewReader("nothing")); err == nil {
		t.Error("a profile without it is taken")
	}
}

func TestHoldRequestEncoding(t *testing.T) {
	w := &wire{host: "127.0.0.1:8080", sessions: []string{"a", "b"}}
	got := string(w.hold(nil, "/p", &holdRequest{event: "E", pair: pair{12, 44}, buyer: 3}))
	want := "POST /p HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer b\r\nContent-Type: application/json\r\n" +
		"Content-Length: 44\r\n\r\n" + `{"event_id":"E","seat_ids":["12-44","12-45"]}`
	if got != strings.Replace(want, "44\r\n\r\n", "45\r\n\r\n", 1) {
		t.Errorf("%q", got)
	}
	if got := string(w.get(nil, "/q", `"7"`)); got != "GET /q HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nIf-None-Match: \"7\"\r\n\r\n" {
		t.Errorf("%q", got)
	}
}

func TestConfirmationsSetDoneWhenSeenSold(t *testing.T) {
	begin := time.Now().Add(-time.Second)
	s := &backlog{requests: []holdRequest{{pair: pair{1, 0}}, {pair: pair{12, 44}}, {pair: pair{2, 6}}}}
	confirmed := newConfirmations(s)
	confirmed.observe("delta", []byte(`{"block":"12","version":4,"seats":{"12-44":"sold","12-45":"sold","12-46":"held"}}`))
	confirmed.observe("delta", []byte(`{"block":"12","version":5,"seats":{"12-44":"sold"}}`))
	confirmed.observe("snapshot", []byte(`{"blocks":[{"id":"1","states":"hh"},{"id":"2","states":"aahhxxss"}]}`))
	if confirmed.sold.Load() != 2 {
		t.Fatalf("%d pairs are sold, want 2", confirmed.sold.Load())
	}
	r := openloop.Result{Begin: begin, Samples: []openloop.Sample{{Status: 201, Done: 5}, {Status: 201, Done: 5}, {Status: 409, Done: 5}}}
	confirmed.setDone(&r)
	if r.Samples[0].Status != 0 {
		t.Error("a booking that was not confirmed counts as answered")
	}
	if took := r.Samples[1].Delay(); took < time.Second || took > time.Minute {
		t.Errorf("the booking that was confirmed took %s", took)
	}
}

func TestBookingIDIsTheFirstID(t *testing.T) {
	if got := string(bookingID([]byte(`{"id":"0197","event_id":"x","seats":[{"id":"12-1"}]}`))); got != "0197" {
		t.Errorf("%q", got)
	}
	if got := bookingID([]byte(`{"id":"019`)); got != nil {
		t.Errorf("%q of a body cut off", got)
	}
}
