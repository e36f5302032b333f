package upstream

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

// IdempotencyKey is the header name as sent to a service. In canonical spelling it would make
// http.Transport resend a POST by itself after a broken connection; here that is the client's decision.
const IdempotencyKey = "idempotency-key"

// Request is a request to a service.
type Request struct {
	Route *route.Route
	// Path is escaped; Query is raw.
	Path, Query string
	// Header is sent as it is; the forwarder does not change it. An idempotency key must be set under
	// IdempotencyKey.
	Header http.Header
	Body   []byte
	Key    Key
}

// httpRequest returns the request as sent to the replica at addr.
func (r *Request) httpRequest(ctx context.Context, addr string) *http.Request {
	out := (&http.Request{
		Method: r.Route.Method,
		URL:    &url.URL{Scheme: "http", Host: addr, Path: r.Path, RawQuery: r.Query},
		Header: r.Header,
		Host:   addr,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if unescaped, err := url.PathUnescape(r.Path); err == nil && unescaped != r.Path {
		out.URL.Path, out.URL.RawPath = unescaped, r.Path
	}
	if len(r.Body) > 0 {
		out.ContentLength = int64(len(r.Body))
		out.Body = io.NopCloser(bytes.NewReader(r.Body))
		// The transport needs GetBody to use another connection when an idle one was closed.
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
	}
	return out
}
