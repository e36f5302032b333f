package edge

import (
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

// forwarded lists the request headers passed to a service unchanged. All others
// are dropped: only the gateway may set headers that identify the caller.
var forwarded = []string{"Accept", "Accept-Language", "Content-Type", "If-Match", "If-None-Match", "Last-Event-Id", "Psp-Signature", "User-Agent"}

// outgoing returns the headers for a service: the forwarded ones and the
// caller's identity.
func (s *Server) outgoing(c *call, who identity.Identity) http.Header {
	h := make(http.Header, len(forwarded)+8)
	for _, name := range forwarded {
		if v, ok := c.r.Header[name]; ok {
			h[name] = v
		}
	}
	if v, ok := c.r.Header[httpapi.IdempotencyKeyHeader]; ok {
		h[upstream.IdempotencyKey] = v
	}
	if c.entry.route.SeesSession {
		h["Authorization"] = []string{"Bearer " + c.sessionID}
	}
	h[identity.Header] = []string{s.Signers[c.entry.route.Service].Sign(who)}
	h[httpapi.RequestIDHeader] = []string{c.id}
	h["X-Forwarded-For"] = []string{c.client.addr.String()}
	h["X-Forwarded-Proto"] = []string{c.client.scheme()}
	h["X-Forwarded-Host"] = []string{c.r.Host}
	if observe.TracingEnabled() {
		otel.GetTextMapPropagator().Inject(c.r.Context(), propagation.HeaderCarrier(h))
	}
	return h
}

// copyHeader copies a response's headers, except hop-by-hop headers and those
// the gateway sets itself.
func copyHeader(to, from http.Header) {
	for name, v := range from {
		switch name {
		case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
			httpapi.RequestIDHeader, identity.Header:
		case "Vary":
			to[name] = append(slices.Clone(to[name]), v...)
		default:
			if !strings.HasPrefix(name, "Access-Control-") {
				to[name] = v
			}
		}
	}
}

// setSecurityHeaders sets the headers that every response has.
func setSecurityHeaders(h http.Header, c *call) {
	h[httpapi.RequestIDHeader] = []string{c.id}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["X-Frame-Options"] = []string{"DENY"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["Content-Security-Policy"] = []string{"default-src 'none'; frame-ancestors 'none'"}
	if c.client.https {
		h["Strict-Transport-Security"] = []string{"max-age=31536000"}
	}
}

// answerCORS lets pages of the configured origins use the API. It returns true
// if the request was a preflight, which it has answered.
func (s *Server) answerCORS(c *call) bool {
	if len(s.cors) == 0 {
		return false
	}
	h := c.w.Header()
	h.Add("Vary", "Origin")
	origin := c.r.Header.Get("Origin")
	if !s.cors[origin] {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	if c.r.Method != http.MethodOptions || c.r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", "ETag, Location, Retry-After, X-Request-Id, Idempotency-Replayed, X-Frontrow-Stale, Age")
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
	c.w.WriteHeader(http.StatusNoContent)
	return true
}
