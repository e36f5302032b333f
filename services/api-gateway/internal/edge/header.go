package edge

import (
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

// forwarded lists the request headers passed to a service unchanged. All others are dropped: only the
// gateway may set headers that identify the caller.
var forwarded = []string{
	"Accept", "Accept-Language", "Content-Type", "If-Match", "If-None-Match", "Last-Event-Id", "Psp-Signature",
	"User-Agent",
}

// outgoing returns the headers for a service: the forwarded ones and the caller's identity.
func (s *Server) outgoing(c *call, caller identity.Identity) http.Header {
	h := make(http.Header, len(forwarded)+8)
	for _, name := range forwarded {
		if v, ok := c.r.Header[name]; ok {
			h[name] = v
		}
	}
	if v, ok := c.r.Header[httpapi.IdempotencyKeyHeader]; ok {
		h[upstream.IdempotencyKey] = v
	}
	if c.endpoint.route.PassSession {
		for _, name := range []string{"Authorization", "Cookie"} {
			if v, ok := c.r.Header[name]; ok {
				h[name] = v
			}
		}
	}
	h[identity.Header] = []string{s.Signers[c.endpoint.route.Service].Sign(caller)}
	h[httpapi.RequestIDHeader] = []string{c.requestID}
	h["X-Forwarded-For"] = []string{c.client.addr.String()}
	h["X-Forwarded-Proto"] = []string{c.client.scheme()}
	h["X-Forwarded-Host"] = []string{c.r.Host}
	if s.tracing {
		otel.GetTextMapPropagator().Inject(c.r.Context(), propagation.HeaderCarrier(h))
	}
	return h
}

// copyHeader copies a response's headers, except hop-by-hop headers and those the gateway sets itself.
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
