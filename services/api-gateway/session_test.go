package main

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

func TestOnlyTheGatewaySetsTheIdentity(t *testing.T) {
	w := newWorld(t)
	r := w.replica("booking-service", 0, nil)
	w.start()
	id, user := w.login(identity.Customer)
	forged := testkit.Forged(t, "booking-service")
	outside := append(bearer(id), identity.Header, forged, "X-Request-Id", "mine",
		"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example",
		"Forwarded", "for=203.0.113.9", "X-Real-Ip", "203.0.113.9",
		"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"Connection", "Accept", "Accept", "text/x", "Cookie", session.Cookie(false)+"=x")
	a := w.want(w.send("GET", "/api/v1/bookings", "", outside...), 200, "")
	got := r.requests()[0]
	if got.id.UserID != user || got.id.Role != identity.Customer || got.id.Email != "u@example.com" {
		t.Errorf("identity %+v", got.id)
	}
	rid := a.header.Get("X-Request-Id")
	if rid == "mine" || rid == "" || got.header.Get("X-Request-Id") != rid {
		t.Errorf("request id: response %q, service %q", rid, got.header.Get("X-Request-Id"))
	}
	if got.header.Get("X-Forwarded-For") != "127.0.0.1" || got.header.Get("X-Forwarded-Proto") != "http" ||
		got.header.Get("X-Forwarded-Host") == "evil.example" {
		t.Errorf("forwarded headers %v", got.header)
	}
	for _, name := range []string{"Authorization", "Cookie", "Forwarded", "X-Real-Ip", "Traceparent"} {
		if got.header.Get(name) != "" {
			t.Errorf("%s got through", name)
		}
	}
	w.want(w.send("GET", "/api/v1/events/e/seats", ""), 200, "")
	if seats := r.requests()[1]; !seats.id.IsAnonymous() || seats.id.Role != identity.Anonymous {
		t.Errorf("anonymous caller is %+v", seats.id)
	}
}

func TestRoutesRequireSessionsAndRoles(t *testing.T) {
	w := newWorld(t)
	for _, s := range []string{"booking-service", "event-service", "auth-service"} {
		w.replica(s, 0, nil)
	}
	w.start()
	customer, _ := w.login(identity.Customer)
	organizer, _ := w.login(identity.Organizer)
	ended, _ := w.login(identity.Customer)
	if err := w.store.End(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	cookie := func(id string, more ...string) []string {
		return append([]string{"Cookie", session.Cookie(false) + "=" + id}, more...)
	}
	for name, c := range map[string]struct {
		method, path string
		headers      []string
		status       int
		code         string
	}{
		"none":                          {"GET", "/api/v1/bookings", nil, 401, "session_required"},
		"unknown":                       {"GET", "/api/v1/bookings", bearer("x"), 401, "session_invalid"},
		"ended":                         {"GET", "/api/v1/bookings", bearer(ended), 401, "session_invalid"},
		"basic authentication":          {"GET", "/api/v1/bookings", []string{"Authorization", "Basic eDp5"}, 401, "session_required"},
		"bearer":                        {"GET", "/api/v1/bookings", bearer(customer), 200, ""},
		"cookie":                        {"GET", "/api/v1/bookings", cookie(customer), 200, ""},
		"unknown on a public route":     {"GET", "/api/v1/events", bearer("x"), 200, ""},
		"customer makes an event":       {"POST", "/api/v1/events", bearer(customer), 403, "forbidden"},
		"organizer makes an event":      {"POST", "/api/v1/events", bearer(organizer), 200, ""},
		"organizer sets a role":         {"PUT", "/api/v1/auth/users/1/role", bearer(organizer), 403, "forbidden"},
		"cookie from another site":      {"POST", "/api/v1/bookings", cookie(customer, "Sec-Fetch-Site", "cross-site"), 403, "forbidden"},
		"cookie with another origin":    {"POST", "/api/v1/bookings", cookie(customer, "Origin", "https://evil.example"), 403, "forbidden"},
		"cookie from the same site":     {"POST", "/api/v1/bookings", cookie(customer, "Sec-Fetch-Site", "same-origin"), 200, ""},
		"cookie of no browser":          {"POST", "/api/v1/bookings", cookie(customer), 200, ""},
		"bearer from another site":      {"POST", "/api/v1/bookings", bearer(customer), 200, ""},
		"link from elsewhere to a page": {"GET", "/api/v1/bookings", cookie(customer, "Sec-Fetch-Site", "cross-site"), 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if a := w.send(c.method, c.path, "{}", c.headers...); a.status != c.status || a.code() != c.code {
				t.Errorf("got %d %s, want %d %q", a.status, a.body, c.status, c.code)
			}
		})
	}
}

func TestLogoutPassesTheSessionID(t *testing.T) {
	w := newWorld(t)
	r := w.replica("auth-service", 0, nil)
	w.start()
	id, _ := w.login(identity.Customer)
	cookie := session.Cookie(false) + "=" + id
	if a := w.send("POST", "/api/v1/auth/logout", "", "Cookie", cookie); a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("what only one person may see has Cache-Control %q", a.header.Get("Cache-Control"))
	}
	w.want(w.send("POST", "/api/v1/auth/login", "", "Cookie", cookie), 200, "")
	w.want(w.send("POST", "/api/v1/auth/logout", "", bearer(id)...), 200, "")
	got := r.requests()
	if got[0].header.Get("Cookie") != cookie || got[1].header.Get("Cookie") != cookie ||
		got[2].header.Get("Authorization") != "Bearer "+id {
		t.Errorf("auth-service got %v, %v, %v", got[0].header, got[1].header, got[2].header)
	}
}

func TestIdentitySaysWhetherTheEmailIsVerifiedAndTheLoginRecent(t *testing.T) {
	w := newWorld(t)
	r := w.replica("booking-service", 0, nil)
	w.start()
	id, user := w.login(identity.Customer)
	for name, c := range map[string]struct {
		verified, recent bool
		age              time.Duration
	}{
		"nothing": {false, false, 16 * time.Minute}, "verified": {true, false, 16 * time.Minute},
		"recent": {false, true, 14 * time.Minute}, "both": {true, true, 0},
	} {
		if err := w.store.Update(t.Context(), user.String(), func(s *session.Session) {
			s.Verified, s.AuthenticatedAt = c.verified, time.Now().Add(-c.age)
		}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, name+" is passed on", func() bool {
			w.want(w.send("GET", "/api/v1/bookings", "", bearer(id)...), 200, "")
			seen := r.requests()
			got := seen[len(seen)-1].id
			return got.Verified == c.verified && got.Recent == c.recent
		})
	}
}

func TestHTTPSTakesOnlyTheCookieWithTheHostPrefix(t *testing.T) {
	w := newWorld(t)
	w.replica("booking-service", 0, nil)
	w.configure = func(c *config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} }
	w.start()
	id, _ := w.login(identity.Customer)
	plain, host := session.Cookie(false)+"="+id, session.Cookie(true)+"="+id
	for _, c := range []struct {
		scheme, cookie string
		status         int
		code           string
	}{
		{"http", plain, 200, ""},
		{"http", host, 401, "session_required"},
		{"https", host, 200, ""},
		{"https", plain, 401, "session_required"},
	} {
		a := w.send("GET", "/api/v1/bookings", "", "Cookie", c.cookie, "X-Forwarded-Proto", c.scheme)
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s with %s: got %d %s, want %d %q", c.scheme, c.cookie, a.status, a.body, c.status, c.code)
		}
	}
}

func TestUnsafeRequestsOfOtherSitesAreRefusedOnEveryRoute(t *testing.T) {
	w := newWorld(t)
	w.start()
	for i := range route.Table {
		rt := &route.Table[i]
		if rt.Method == http.MethodGet {
			continue
		}
		path := strings.ReplaceAll(rt.Path, "{id}", "0190b0a0-0000-7000-8000-000000000001")
		for _, site := range []string{"cross-site", "same-site"} {
			a := w.send(rt.Method, path, "{}", "Sec-Fetch-Site", site)
			if a.status != http.StatusForbidden || a.code() != "forbidden" {
				t.Errorf("%s %s from a page that is %s: got %d %s", rt.Method, path, site, a.status, a.body)
			}
		}
	}
}

func TestCachedSessionsAndPublicRoutesWorkWithoutRedis(t *testing.T) {
	w := newWorld(t)
	rdb := miniredis.RunT(t)
	w.configure = func(c *config) { c.RedisURL = "redis://" + rdb.Addr() }
	w.replica("booking-service", 0, nil)
	w.replica("event-service", 0, nil)
	w.start()
	known, _ := w.login(identity.Customer)
	unknown, _ := w.login(identity.Customer)
	w.want(w.send("GET", "/api/v1/bookings", "", bearer(known)...), 200, "")
	rdb.Close()
	w.want(w.send("GET", "/api/v1/bookings", "", bearer(known)...), 200, "")
	a := w.want(w.send("GET", "/api/v1/bookings", "", bearer(unknown)...), 503, "unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.want(w.send("GET", "/api/v1/events", "", bearer(unknown)...), 200, "")
	w.want(w.send("GET", "/api/v1/events/e/seats", ""), 200, "")
}
