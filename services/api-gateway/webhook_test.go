package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/session"
)

func TestWebhookPassesWithoutASession(t *testing.T) {
	w := newWorld(t)
	r := w.replica("payment-service", 0, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) })
	w.start()
	login, _ := w.login(identity.Customer)
	// Bytes that re-encoding would change: the signature covers exactly these.
	const body = "{\"id\" : \"evt_1\",\n\t\"charge\":{\"amount\":{\"amount\":1.0e2}},\"id\":\"\\u0065\"}\n"
	const signature = "t=1700000000,v1=0af7651916cd43dd8448eb211c80319c"
	for name, headers := range map[string][]string{
		"the provider":            {},
		"a client with a session": {"Cookie", session.Cookie(false) + "=" + login},
		"an ended session":        bearer("x"),
	} {
		before := len(r.requests())
		w.want(w.send("POST", "/webhooks/psp", body, append(headers, "PSP-Signature", signature, "Content-Type", "application/json")...), 204, "")
		seen := r.requests()[before:]
		if len(seen) != 1 {
			t.Fatalf("%s: came %d times", name, len(seen))
		}
		got := seen[0]
		if got.method != "POST" || got.uri != "/webhooks/psp" || got.body != body || got.header.Get("PSP-Signature") != signature {
			t.Errorf("%s: got %+v", name, got)
		}
		if !got.id.IsAnonymous() || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: identity %+v, headers %v", name, got.id, got.header)
		}
	}
	w.want(w.send("POST", "/webhooks/psp", body, "Origin", "https://evil.example"), 403, "forbidden")
	w.want(w.send("POST", "/webhooks/psp", strings.Repeat("x", 64<<10+1)), 413, "body_too_large")
	w.want(w.send("GET", "/webhooks/psp", ""), 405, "method_not_allowed")
	w.want(w.send("POST", "/webhooks/other", ""), 404, "not_found")
}

func TestWebhooksAreLimitedByAddress(t *testing.T) {
	w := newWorld(t)
	w.replica("payment-service", 0, nil)
	w.configure = func(c *config) { c.RateLimitAddress = 1 }
	w.start()
	for range 20 {
		if a := w.send("POST", "/webhooks/psp", "{}"); a.status == http.StatusTooManyRequests {
			if a.header.Get("Retry-After") == "" {
				t.Error("there is no Retry-After")
			}
			return
		}
	}
	t.Error("20 webhooks at once from one address, at one a second, were all let in")
}
