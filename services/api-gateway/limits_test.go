package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestUnknownPathsAndMethodsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.start()
	for path, want := range map[string]int{
		"/nothing": 404, "/api/v1/": 404, "/api/v1/events/": 404, "/api/v1/webhooks/psp": 404, "/api/v1/events//seats": 404,
		"/api/v1/events/../bookings": 404, "/metrics": 404, "/debug/pprof/": 404, "/": 200, "/api/v1/openapi.yaml": 200,
	} {
		if a := w.send("GET", path, ""); a.status != want || (want == 404 && a.code() != "not_found") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	a := w.want(w.send("DELETE", "/api/v1/bookings", ""), 405, "method_not_allowed")
	if a.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
	if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("X-Request-Id") == "" {
		t.Errorf("headers %v", a.header)
	}
	metrics, err := http.Get(w.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer metrics.Body.Close()
	body, _ := io.ReadAll(metrics.Body)
	for _, s := range []string{`route="other"`, `route="/api/v1/openapi.yaml"`, `route="/api/v1/bookings"`} {
		if route := strings.Contains(string(body), s); route != (s != `route="/api/v1/bookings"`) {
			t.Errorf("metrics have %s: %v", s, route)
		}
	}
}

func TestHeadIsAnsweredLikeGet(t *testing.T) {
	w := newWorld(t)
	respond := func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", `"1"`)
		if strings.HasSuffix(r.URL.Path, "/stream") {
			rw.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(rw, "event: snapshot\nid: 1\ndata: {}\n\n")
			rw.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(rw, "an event")
	}
	w.replica("event-service", 0, respond)
	bookings := w.replica("booking-service", 0, respond)
	w.start()
	for _, path := range []string{"/api/v1/events/e", "/api/v1/events/e/seats", "/api/v1/openapi.yaml", "/"} {
		get := w.send("GET", path, "", "Accept-Encoding", "identity")
		head := w.send("HEAD", path, "", "Accept-Encoding", "identity")
		if head.status != 200 || head.body != "" || head.header.Get("ETag") != get.header.Get("ETag") ||
			head.header.Get("Content-Length") != get.header.Get("Content-Length") {
			t.Errorf("%s: HEAD %d %v %q, GET %v", path, head.status, head.header, head.body, get.header)
		}
	}
	a := w.send("HEAD", "/api/v1/events/e/seats/stream", "")
	if a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" || a.body != "" {
		t.Errorf("stream: %d %v", a.status, a.header)
	}
	if a := w.send("HEAD", "/api/v1/nothing", ""); a.status != 404 {
		t.Errorf("no such address: %d", a.status)
	}
	for _, r := range bookings.requests() {
		if r.method != http.MethodGet {
			t.Errorf("a service got a %s", r.method)
		}
	}
}

func TestSlowBodiesDoNotBlockOthers(t *testing.T) {
	w := newWorld(t)
	w.replica("auth-service", 0, nil)
	w.replica("booking-service", 0, nil)
	w.start()
	address := strings.TrimPrefix(w.url, "http://")
	// As many as one address may send at once, which is more than the gateway
	// processes at once.
	const slow = 2048
	for range slow {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		const start = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
		if _, err := io.WriteString(conn, start); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, "the address has sent too much", func() bool {
		a := w.send("POST", "/api/v1/auth/login", "{}")
		return a.status == http.StatusTooManyRequests && a.code() == "rate_limited"
	})
	w.want(w.send("GET", "/api/v1/events/e/seats", ""), 200, "")
	from := func(ctx context.Context, network, _ string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		return d.DialContext(ctx, network, address)
	}
	other := &http.Client{Transport: &http.Transport{DialContext: from}}
	resp, err := other.Post(w.url+"/api/v1/auth/login", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("another address: %s", resp.Status)
	}
}

func TestBodiesOverTheRoutesLimitAreRefused(t *testing.T) {
	w := newWorld(t)
	r := w.replica("booking-service", 0, nil)
	venues := w.replica("event-service", 0, nil)
	w.start()
	customer, _ := w.login(identity.Customer)
	organizer, _ := w.login(identity.Organizer)
	big := strings.Repeat("x", 10<<20)
	w.want(w.send("POST", "/api/v1/bookings", big, bearer(customer)...), 413, "body_too_large")

	req, err := http.NewRequest(http.MethodPost, w.url+"/api/v1/bookings", io.MultiReader(strings.NewReader(big)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+customer)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("without a length: %d", resp.StatusCode)
	}
	if len(r.requests()) != 0 {
		t.Error("a service got the body")
	}
	w.want(w.send("POST", "/api/v1/venues", big, bearer(organizer)...), 200, "")
	if got := venues.requests(); len(got) != 1 || len(got[0].body) != len(big) {
		t.Error("the seat plan did not arrive whole")
	}
}

func TestRateLimitAnswers429WithRetryAfter(t *testing.T) {
	w := newWorld(t)
	w.configure = func(c *config) { c.RateLimitSession, c.RateLimitAddress = 1, 5 }
	w.replica("booking-service", 0, nil)
	w.start()
	one, _ := w.login(identity.Customer)
	two, _ := w.login(identity.Customer)
	codes := func(n int, id string) (limited int) {
		for range n {
			a := w.send("GET", "/api/v1/bookings", "", bearer(id)...)
			if a.status == 429 {
				limited++
				if a.code() != "rate_limited" || a.header.Get("Retry-After") == "" {
					t.Errorf("%v %s", a.header, a.body)
				}
			}
		}
		return limited
	}
	if n := codes(4, one); n < 1 {
		t.Error("a session over its rate was not limited")
	}
	if n := codes(1, two); n != 0 {
		t.Error("another session was limited")
	}
	if n := codes(20, two); n < 10 {
		t.Errorf("only %d of 20 requests over the address' rate were limited", n)
	}
	// A client can't choose its address.
	if a := w.send("GET", "/", "", "X-Forwarded-For", "203.0.113.77"); a.status != 429 {
		t.Errorf("with a made up address: %d", a.status)
	}
}

func TestTrustedProxyNamesItsClient(t *testing.T) {
	w := newWorld(t)
	w.configure = func(c *config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	r := w.replica("booking-service", 0, nil)
	w.start()
	a := w.send("GET", "/api/v1/events/e/seats", "",
		"X-Forwarded-For", "198.51.100.1, 203.0.113.9, 127.0.0.7", "X-Forwarded-Proto", "https")
	got := r.requests()[0].header
	if got.Get("X-Forwarded-For") != "203.0.113.9" || got.Get("X-Forwarded-Proto") != "https" ||
		a.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("service got %v, client %v", got, a.header)
	}
}

func TestCORSIsForConfiguredOriginsOnly(t *testing.T) {
	w := newWorld(t)
	w.configure = func(c *config) { c.CORSOrigins = []string{"https://shop.example"} }
	r := w.replica("booking-service", 0, nil)
	w.start()
	pre := func(origin string) response {
		return w.send("OPTIONS", "/api/v1/bookings", "", "Origin", origin, "Access-Control-Request-Method", "POST")
	}
	if a := pre("https://shop.example"); a.status != 204 ||
		a.header.Get("Access-Control-Allow-Origin") != "https://shop.example" ||
		!strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := pre("https://evil.example"); a.status != 405 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	a := w.send("GET", "/api/v1/events/e/seats", "", "Origin", "https://shop.example")
	if a.header.Get("Access-Control-Allow-Origin") == "" || a.header.Get("Vary") == "" {
		t.Errorf("%v", a.header)
	}
	if len(r.requests()) != 1 {
		t.Error("a preflight got through")
	}
}
