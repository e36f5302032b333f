package main

import (
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
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
		"Connection", "Accept", "Accept", "text/x", "Cookie", session.Cookie+"=x")
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
		return append([]string{"Cookie", session.Cookie + "=" + id}, more...)
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
	w.want(w.send("POST", "/api/v1/auth/logout", "", "Cookie", session.Cookie+"="+id), 200, "")
	if got := r.requests()[0].header.Get("Authorization"); got != "Bearer "+id {
		t.Errorf("auth-service got %q", got)
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
