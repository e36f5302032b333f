package upstream

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

// service is a set of replicas with the same handler.
func service(t *testing.T, replicas int, handle http.HandlerFunc) (*Forwarder, *atomic.Int64) {
	t.Helper()
	var count atomic.Int64
	p := NewPool()
	var list []Replica
	for i := range replicas {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			count.Add(1)
			handle(w, r)
		}))
		t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
		list = append(list, Replica{ID: string(rune('a' + i)), Addr: srv.Listener.Addr().String()})
	}
	p.Set(list)
	f := NewForwarder(map[string]*Pool{route.Booking: p}, false)
	t.Cleanup(f.Close)
	return f, &count
}

// hangs never responds. It reads the body first: only then does a server detect a disconnect.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func code(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

var (
	read  = &route.Route{Method: http.MethodGet, Service: route.Booking, Timeout: 50 * time.Millisecond, Retry: true}
	write = &route.Route{Method: http.MethodPost, Service: route.Booking, Timeout: 50 * time.Millisecond}
)

func TestSlowReadIsRetriedElsewhereThenTimesOut(t *testing.T) {
	f, count := service(t, 2, hangs)
	_, err := f.Do(t.Context(), &Request{Route: read, Path: "/", Header: http.Header{}})
	if code(err) != "upstream_timeout" || count.Load() != 2 {
		t.Errorf("%v after %d attempts", err, count.Load())
	}
}

func TestSlowWriteIsNotRetried(t *testing.T) {
	f, count := service(t, 2, hangs)
	_, err := f.Do(t.Context(), &Request{Route: write, Path: "/", Header: http.Header{}, Body: []byte("{}")})
	if code(err) != "outcome_unknown" || count.Load() != 1 {
		t.Errorf("%v after %d attempts", err, count.Load())
	}
}

func TestWriteIsRetriedWhenTheConnectionIsRefused(t *testing.T) {
	f, count := service(t, 1, func(http.ResponseWriter, *http.Request) {})
	p := f.pools[route.Booking]
	p.Set([]Replica{{"dead", testkit.FreeAddr(t)}, {"a", (*p.instances.Load())[0].Addr}})
	for range 20 {
		resp, err := f.Do(t.Context(), &Request{Route: write, Path: "/", Header: http.Header{}, Body: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		resp.Close()
	}
	if count.Load() != 20 {
		t.Errorf("%d attempts reached the living replica, want 20", count.Load())
	}
}

func TestFailingReplicasGetNoMoreRequests(t *testing.T) {
	f, count := service(t, 2, hangs)
	var last error
	for range 3 * tripAfter {
		_, last = f.Do(t.Context(), &Request{Route: read, Path: "/", Header: http.Header{}})
	}
	if code(last) != "unavailable" {
		t.Errorf("with all breakers open: %v", last)
	}
	if n := count.Load(); n > 2*tripAfter+2 {
		t.Errorf("%d attempts on replicas that never respond", n)
	}
	var p *problem.Error
	if errors.As(last, &p) && p.RetryAfter == 0 {
		t.Error("no Retry-After")
	}
}

func Test503OfAllReplicasIsPassedOn(t *testing.T) {
	f, count := service(t, 2, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	resp, err := f.Do(t.Context(), &Request{Route: read, Path: "/", Header: http.Header{}})
	if err != nil || resp.Status != http.StatusServiceUnavailable || count.Load() != 2 {
		t.Fatalf("%v, %v after %d attempts", resp, err, count.Load())
	}
	resp.Close()
	for _, in := range *f.pools[route.Booking].instances.Load() {
		if n := in.inFlight.Load(); n != 0 {
			t.Errorf("%s still has %d requests in flight", in.ID, n)
		}
	}
}

func TestLongResponseIsStreamed(t *testing.T) {
	f, _ := service(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 300<<10))
	})
	resp, err := f.Do(t.Context(), &Request{Route: read, Path: "/", Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	rec := httptest.NewRecorder()
	if err := resp.CopyTo(rec); err != nil || rec.Body.Len() != 300<<10 || resp.Buffered() {
		t.Errorf("%d bytes, %v", rec.Body.Len(), err)
	}
}
