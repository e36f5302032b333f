package openloop

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func serve(t *testing.T, h http.HandlerFunc) *Target {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	target, err := NewTarget(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(target.Close)
	return target
}

func get(buf []byte, _ int) []byte { return append(buf, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"...) }

func TestTargetRefusesOtherMachines(t *testing.T) {
	for _, addr := range []string{"10.0.0.1:80", "8.8.8.8:80", "[::1]:80", "example.com:80", "128.0.0.1:80", "127.0.0.1"} {
		if _, err := NewTarget(addr); err == nil {
			t.Errorf("%s is taken for a target", addr)
		}
	}
	if _, err := NewTarget("127.3.2.1:80"); err != nil {
		t.Error(err)
	}
}

// TestStalledServerIsChargedForEveryRequestThatFellDue checks what makes the
// loop open: while the first response is held back for 200 ms, the others
// become due one after another on the single connection, and each waits less
// the later it was due.
func TestStalledServerIsChargedForEveryRequestThatFellDue(t *testing.T) {
	const stall = 200 * time.Millisecond
	var first atomic.Bool
	release := make(chan struct{})
	time.AfterFunc(stall, func() { close(release) })
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if first.CompareAndSwap(false, true) {
			<-release
		}
		w.WriteHeader(http.StatusNoContent)
	})
	r := target.Do(context.Background(), Run{Rate: 100, Count: 1000, Length: stall, Connections: 1, Request: get})
	if len(r.Samples) != 20 {
		t.Fatalf("%d requests, want 20", len(r.Samples))
	}
	for i, s := range r.Samples {
		due := Due(100, i)
		if s.Due != int64(due) {
			t.Errorf("request %d was due at %s, want %s", i, time.Duration(s.Due), due)
		}
		if s.Status != http.StatusNoContent {
			t.Fatalf("request %d: status %d", i, s.Status)
		}
		if least := stall - due - 20*time.Millisecond; s.Delay() < least {
			t.Errorf("request %d, due at %s, is said to have taken %s: less than %s", i, due, s.Delay(), least)
		}
	}
}

func TestArrivalsDoNotWaitForAnswers(t *testing.T) {
	var under atomic.Int64
	all := make(chan struct{})
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if under.Add(1) == 10 {
			close(all)
		}
		<-all
		w.WriteHeader(http.StatusNoContent)
	})
	r := target.Do(context.Background(), Run{Rate: 200, Count: 1000, Length: 50 * time.Millisecond, Connections: 10, Request: get})
	for i, s := range r.Samples {
		if s.Status != http.StatusNoContent {
			t.Errorf("request %d: status %d: its arrival waited for an answer", i, s.Status)
		}
	}
}

func TestClosedLoopKeepsEveryConnectionBusyAndEnds(t *testing.T) {
	var under, most atomic.Int64
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := under.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			continue
		}
		under.Add(-1)
		w.WriteHeader(http.StatusNoContent)
	})
	r := target.Do(context.Background(), Run{Count: 500, Length: time.Minute, Connections: 4, Request: get})
	if len(r.Samples) != 500 || most.Load() > 4 {
		t.Errorf("%d requests, at most %d at once; want 500 and no more than 4", len(r.Samples), most.Load())
	}
}

func TestBrokenAndRefusedAnswersAreCounted(t *testing.T) {
	var n atomic.Int64
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) {
		case 1:
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			}
		case 2:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusCreated)
			w.Write([]byte(strings.Repeat("x", 100_000)))
		}
	})
	sizes := make([]int, 3)
	r := target.Do(context.Background(), Run{
		Count: 3, Length: time.Minute, Connections: 1, Request: get,
		Answer: func(i, _ int, body []byte) { sizes[i] = len(body) },
	})
	s := Summarize(r, func(status int) bool { return status == http.StatusCreated })
	if s.ByStatus[0] != 1 || s.ByStatus[503] != 1 || s.ByStatus[201] != 1 || s.Retryable != 1 {
		t.Errorf("by status %v, %d to retry; want one of each", s.ByStatus, s.Retryable)
	}
	if s.Accepted.TotalCount() != 1 || s.Others.TotalCount() != 1 {
		t.Errorf("%d accepted and %d others have a delay, want 1 and 1", s.Accepted.TotalCount(), s.Others.TotalCount())
	}
	if sizes[2] != 100_000 {
		t.Errorf("the body has %d bytes", sizes[2])
	}
}

func TestSummaryQuantilesAndRate(t *testing.T) {
	r := Result{Length: 2 * time.Second}
	for i := range 1000 {
		due := int64(i) * int64(2*time.Millisecond)
		r.Samples = append(r.Samples, Sample{Due: due, Sent: due + 1000, Done: due + int64(i+1)*int64(time.Millisecond), Status: 201})
	}
	s := Summarize(r, func(status int) bool { return status == 201 })
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{.5, 500 * time.Millisecond}, {.99, 990 * time.Millisecond}, {1, time.Second}} {
		if got := Quantile(s.Accepted, c.q); got < c.want-c.want/500 || got > c.want+c.want/500 {
			t.Errorf("quantile %v is %s, want %s", c.q, got, c.want)
		}
	}
	// The last of a thousand responses arrived at 1.998 + 1 s.
	if want := 1000 / 2.998; s.PerSecond < want-.1 || s.PerSecond > want+.1 {
		t.Errorf("%.1f a second, want %.1f", s.PerSecond, want)
	}
}
