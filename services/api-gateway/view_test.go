package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestEventViewsAreServedStaleWhileEventServiceIsDown(t *testing.T) {
	w := newWorld(t)
	var failing atomic.Bool
	r := w.replica("event-service", 0, func(rw http.ResponseWriter, req *http.Request) {
		if failing.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		v, _ := identity.NewVerifier("event-service", w.seed)
		who, _ := v.Verify(req.Header.Get(identity.Header))
		rw.Header().Set("ETag", `"1"`)
		if req.Header.Get("If-None-Match") == `"1"` {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprintf(rw, "%s for %s", req.URL.Path, who.Role)
	})
	w.start()
	customer, _ := w.login(identity.Customer)
	organizer, _ := w.login(identity.Organizer)
	paths := []string{"/api/v1/events?q=a&limit=2", "/api/v1/events/e1", "/api/v1/venues/v1"}
	for _, p := range paths {
		a := w.want(w.send("GET", p, "", bearer(customer)...), 200, "")
		if a.header.Get("X-Frontrow-Stale") != "" {
			t.Errorf("%s is marked stale", p)
		}
	}
	// Again: revalidated with event-service, while the client's own condition
	// matches.
	before := requestCount(r)
	if a := w.send("GET", paths[1], "", "If-None-Match", `W/"1"`); a.status != 304 || a.header.Get("ETag") != `"1"` {
		t.Errorf("conditional request: %d %v", a.status, a.header)
	}
	if requestCount(r) != before+1 {
		t.Error("a view was served without a request to event-service")
	}
	// An organiser's response is not shown to others and not cached.
	if a := w.send("GET", "/api/v1/events/draft", "",
		bearer(organizer)...); a.body != "/api/v1/events/draft for organizer" {
		t.Errorf("organizer got %q", a.body)
	}

	stale := func(why string) {
		t.Helper()
		for _, p := range append(paths, "/api/v1/events?limit=2&q=a") {
			for _, who := range [][]string{nil, bearer(customer), bearer(organizer)} {
				a := w.send("GET", p, "", who...)
				if a.status != 200 || a.header.Get("X-Frontrow-Stale") != "true" || a.header.Get("Warning") == "" ||
					a.header.Get("Age") == "" || a.body == "" {
					t.Errorf("%s, %s: %d %v %q", why, p, a.status, a.header, a.body)
				}
			}
		}
		w.want(w.send("GET", "/api/v1/events/never-seen", ""), 503, map[string]string{"dead": "unavailable"}[why])
		if a := w.send("GET", "/api/v1/events/draft", ""); a.status != 503 {
			t.Errorf("%s: a draft is shown to anybody: %d %s", why, a.status, a.body)
		}
		if a := w.send("GET", "/api/v1/events?mine=true", "", bearer(organizer)...); a.status != 503 {
			t.Errorf("%s: own events: %d", why, a.status)
		}
	}
	failing.Store(true)
	stale("failing")
	failing.Store(false)
	if a := w.want(w.send("GET", paths[1], ""), 200, ""); a.header.Get("X-Frontrow-Stale") != "" {
		t.Error("still stale after the return")
	}
	r.kill()
	stale("dead")
}

func TestViewThatIsGoneIsNoLongerServed(t *testing.T) {
	w := newWorld(t)
	var gone atomic.Bool
	r := w.replica("event-service", 0, func(rw http.ResponseWriter, _ *http.Request) {
		if gone.Load() {
			rw.WriteHeader(http.StatusNotFound)
		}
	})
	w.start()
	w.want(w.send("GET", "/api/v1/events/e", ""), 200, "")
	gone.Store(true)
	w.want(w.send("GET", "/api/v1/events/e", ""), 404, "")
	r.kill()
	w.want(w.send("GET", "/api/v1/events/e", ""), 503, "unavailable")
}

func TestConcurrentRequestsForAViewShareOneFetch(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	r := w.replica("event-service", 0, func(rw http.ResponseWriter, _ *http.Request) {
		<-release
		fmt.Fprint(rw, "x")
	})
	w.start()
	var wg sync.WaitGroup
	wg.Go(func() {
		if a := w.send("GET", "/api/v1/venues/v", ""); a.body != "x" {
			t.Errorf("%d %q", a.status, a.body)
		}
	})
	testkit.Eventually(t, "the first is being fetched", func() bool { return requestCount(r) == 1 })
	// Other clients wait during the fetch and disconnect: the metrics show that
	// they were admitted.
	impatient := http.Client{Timeout: 100 * time.Millisecond}
	before := w.disconnects("/api/v1/venues/{id}")
	testkit.Eventually(t, "three others were in and left", func() bool {
		if resp, err := impatient.Get(w.url + "/api/v1/venues/v"); err == nil {
			resp.Body.Close()
		}
		return w.disconnects("/api/v1/venues/{id}") >= before+3
	})
	if n := requestCount(r); n != 1 {
		t.Errorf("%d requests for one view at one time", n)
	}
	close(release)
	wg.Wait()
}

func TestViewIsServedStaleWhileEventServiceHangs(t *testing.T) {
	w := newWorld(t)
	var hangs, givenUp atomic.Bool
	release := make(chan struct{})
	r := w.replica("event-service", 0, func(rw http.ResponseWriter, req *http.Request) {
		if hangs.Load() {
			select {
			case <-release:
			case <-req.Context().Done():
				givenUp.Store(true)
			}
			return
		}
		fmt.Fprint(rw, "x")
	})
	w.start()
	w.want(w.send("GET", "/api/v1/events/e", ""), 200, "")
	hangs.Store(true)
	a := w.want(w.send("GET", "/api/v1/events/e", ""), 200, "")
	if a.header.Get("X-Frontrow-Stale") != "true" || a.body != "x" {
		t.Errorf("%v %q", a.header, a.body)
	}
	if n := requestCount(r); n != 2 || givenUp.Load() {
		t.Errorf("the copy was shown after %d requests, the last given up: %t", n, givenUp.Load())
	}
	close(release)
}

// disconnects returns how many clients disconnected before their response.
func (w *world) disconnects(route string) (n int) {
	w.t.Helper()
	resp, err := http.Get(w.admin + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		prefix := `http_request_duration_seconds_count{code="499",method="GET",route="` + route + `"} `
		if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
			n, _ = strconv.Atoi(rest)
		}
	}
	return n
}

func TestViewIsDecompressedForClientsWithoutGzip(t *testing.T) {
	w := newWorld(t)
	var failing atomic.Bool
	w.replica("event-service", 0, func(rw http.ResponseWriter, req *http.Request) {
		if failing.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		rw.Header().Set("ETag", `W/"1"`)
		if req.Header.Get("Accept-Encoding") != "gzip" {
			fmt.Fprint(rw, "plain seats")
			return
		}
		rw.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(rw)
		fmt.Fprint(zip, "packed seats")
		_ = zip.Close()
	})
	w.start()
	organizer, _ := w.login(identity.Organizer)
	unpacked := func(a response) string {
		t.Helper()
		if a.header.Get("Content-Encoding") != "gzip" {
			return "not packed: " + a.body
		}
		reader, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for _, down := range []bool{false, true} {
		failing.Store(down)
		if a := w.send("GET", "/api/v1/venues/v1", "", "Accept-Encoding", "gzip, br"); unpacked(a) != "packed seats" {
			t.Errorf("down %t: %q", down, unpacked(a))
		}
		if a := w.send("GET", "/api/v1/venues/v1", "", "Accept-Encoding", "identity"); a.body != "packed seats" ||
			a.header.Get("Content-Encoding") != "" {
			t.Errorf("down %t, without gzip: %v %q", down, a.header, a.body)
		}
	}
	failing.Store(false)
	if a := w.send("GET", "/api/v1/venues/v1", "",
		append(bearer(organizer), "Accept-Encoding", "gzip")...); unpacked(a) != "packed seats" {
		t.Errorf("organizer: %q", unpacked(a))
	}
	if a := w.send("GET", "/api/v1/venues/v1", "",
		append(bearer(organizer), "Accept-Encoding", "identity")...); a.body != "plain seats" {
		t.Errorf("organizer without gzip: %q", a.body)
	}
}

func TestDamagedGzipOfEventServiceIsNotServed(t *testing.T) {
	w := newWorld(t)
	var damaged atomic.Bool
	w.replica("event-service", 0, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Encoding", "gzip")
		if damaged.Load() {
			rw.Header().Set("ETag", `W/"2"`)
			fmt.Fprint(rw, "no gzip")
			return
		}
		rw.Header().Set("ETag", `W/"1"`)
		zip := gzip.NewWriter(rw)
		fmt.Fprint(zip, "seats")
		_ = zip.Close()
	})
	w.start()
	w.want(w.send("GET", "/api/v1/venues/v1", ""), 200, "")
	damaged.Store(true)
	for _, encoding := range []string{"identity", "gzip"} {
		a := w.send("GET", "/api/v1/venues/v1", "", "Accept-Encoding", encoding)
		if a.status != 200 || a.header.Get("X-Frontrow-Stale") != "true" || a.header.Get("ETag") != `W/"1"` {
			t.Errorf("cached venue, %s: %d %v %q, want the stale view", encoding, a.status, a.header, a.body)
		}
		a = w.send("GET", "/api/v1/venues/v2", "", "Accept-Encoding", encoding)
		if a.status != 503 || a.code() != "unavailable" {
			t.Errorf("new venue, %s: %d %q, want 503 unavailable", encoding, a.status, a.body)
		}
	}
}
