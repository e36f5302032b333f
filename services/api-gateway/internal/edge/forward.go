package edge

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

// dispatch responds with a page, a stream or a service's response.
func (s *Server) dispatch(c *call) error {
	switch {
	case c.endpoint.page != nil:
		return c.endpoint.page(c.w, c.r)
	case c.endpoint.route.Stream:
		if err := s.authorize(c); err != nil {
			return err
		}
		if c.endpoint.route.Admission {
			if _, err := s.admissions.check(c, c.pathID, c.r.URL.Query().Get("admission")); err != nil {
				return err
			}
		}
		return s.stream(c)
	default:
		return s.forward(c)
	}
}

// forward sends the request to its service and passes the response on.
func (s *Server) forward(c *call) error {
	if s.concurrency.reached() {
		return overloaded() // before the work of authorizing
	}
	if err := s.authorize(c); err != nil {
		return err
	}
	// Read the body before counting the request: a slow client must not occupy one of the slots.
	body, err := s.readBody(c)
	if err != nil {
		return err
	}
	rt := c.endpoint.route
	req := &upstream.Request{Route: rt, Path: c.r.URL.EscapedPath(), Query: c.r.URL.RawQuery, Body: body}
	event := c.pathID
	if rt.Key == route.ByBody {
		event = upstream.EventID(body)
	}
	if rt.Key != route.NoKey {
		req.Key = upstream.IDKey(event)
	}
	if rt.Admission {
		queued, err := s.admissions.check(c, event, c.r.Header.Get(admissionHeader))
		if err != nil {
			return err
		}
		if queued {
			defer func() { s.admissions.observe(event, time.Since(c.start)) }()
		}
	}
	if err := s.concurrency.acquire(); err != nil {
		return err
	}
	defer s.concurrency.release()
	if rt.View {
		return s.showView(c, req)
	}
	req.Header = s.outgoing(c, c.caller)
	if rt.Device {
		if device := deviceOf(c); device != "" {
			req.Header[deviceHeader] = []string{device}
		}
	}
	resp, err := s.Forwarder.Do(c.r.Context(), req)
	if rt.PassSession {
		// The session may have ended or changed.
		s.Sessions.Forget(session.Hash(session.FromRequest(c.r, c.client.https)))
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	pass(c, resp)
	return nil
}

// pass passes a service's response on.
func pass(c *call, resp *upstream.Response) {
	copyHeader(c.w.Header(), resp.Header)
	if c.endpoint.route.Access == route.Session && c.w.Header().Get("Cache-Control") == "" {
		// It is about one person: neither browsers nor proxies may keep it.
		c.w.Header().Set("Cache-Control", "no-store")
	}
	c.w.WriteHeader(resp.Status)
	if err := resp.CopyTo(c.w); err != nil && !resp.Buffered() {
		// The status is already sent: only cutting the connection tells the client that the body is incomplete.
		slog.WarnContext(c.r.Context(), "response interrupted", "error", err, "route", c.endpoint.template,
			"request_id", c.requestID)
		panic(http.ErrAbortHandler)
	}
}
