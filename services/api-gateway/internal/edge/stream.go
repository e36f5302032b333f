package edge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/broadcast"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

const (
	seatsPath       = "/api/v1/events/{id}/seats"
	seatStreamPath  = seatsPath + "/stream"
	queuePath       = "/api/v1/events/{id}/queue"
	queueStreamPath = queuePath + "/stream"

	// maxStreams limits the open streams of one address. Carriers put hundreds of customers behind one
	// address, and a hall's Wi-Fi its whole audience.
	maxStreams = 4096
	// streamRetryAfter is the Retry-After for an address with too many streams.
	streamRetryAfter = 10 * time.Second
)

// stream makes the client's connection one of the event's watchers. It hijacks the connection from the
// server, whose per-request state would use most of the memory.
func (s *Server) stream(c *call) error {
	release, ok := s.openStreams.acquire(c.client.limitKey(), 1)
	if !ok {
		limitRefused.WithLabelValues("streams").Inc()
		return problem.New(http.StatusTooManyRequests, problem.CodeTooManyStreams,
			"Too many live pages are open on your network. Close some and try again.").After(streamRetryAfter)
	}
	attached := false
	defer func() {
		if !attached {
			release()
		}
	}()
	since, err := strconv.ParseInt(c.r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		since = -1
	}
	feed, start, err := s.openFeed(c, since)
	if refusal := (*broadcast.Refusal)(nil); errors.As(err, &refusal) {
		copyHeader(c.w.Header(), refusal.Header)
		writeBody(c.w, refusal.Status, refusal.Body)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() {
		if !attached {
			feed.Leave()
		}
	}()
	h := c.w.Header()
	copyHeader(h, feed.Header())
	h.Set("X-Accel-Buffering", "no")
	// The body ends with the connection (RFC 9112, 6.3), so that all watchers can get the same bytes.
	h.Set("Transfer-Encoding", "identity")
	c.w.WriteHeader(http.StatusOK)
	// Spread the reconnects of clients whose streams end together.
	_, _ = fmt.Fprintf(c.w, "retry: %d\n\n", 1000+rand.IntN(2000))
	control := http.NewResponseController(c.w)
	if err := control.Flush(); err != nil || c.r.Method == http.MethodHead {
		return nil // the client has disconnected, or sent HEAD
	}
	conn, _, err := control.Hijack()
	if err != nil {
		return fmt.Errorf("hijack connection: %w", err)
	}
	attached = true
	feed.Attach(conn, start, release)
	return nil
}

// openFeed returns the feed of the event in the path, and where a client that has everything up to since
// begins.
func (s *Server) openFeed(c *call, since int64) (*broadcast.Feed, broadcast.Start, error) {
	feed, err := s.streams[c.endpoint.route.Path].Open(c.r.Context(), c.pathID, since)
	if err != nil {
		return nil, broadcast.Start{}, err
	}
	start, err := feed.Start(c.r.Context(), since)
	if err != nil {
		feed.Leave()
		return nil, start, err
	}
	return feed, start, nil
}

// fetch returns a function that requests a path of an event from booking-service, for all of its watchers.
func (s *Server) fetch(path string) broadcast.Fetch {
	return func(ctx context.Context, event, lastID string) (*upstream.Response, error) {
		h := http.Header{}
		if lastID != "" {
			h.Set("Last-Event-ID", lastID)
		}
		return s.request(ctx, path, event, h)
	}
}

// request requests a path of an event from booking-service as an anonymous caller.
func (s *Server) request(ctx context.Context, path, event string, h http.Header) (*upstream.Response, error) {
	rt := route.Find(http.MethodGet, path)
	h.Set(identity.Header, s.Signers[rt.Service].Sign(identity.Identity{Role: identity.Anonymous}))
	h.Set(httpapi.RequestIDHeader, newRequestID())
	return s.Forwarder.Do(ctx, &upstream.Request{
		Route: rt, Path: pathOf(path, event), Header: h, Key: upstream.IDKey(event),
	})
}

// pathOf returns a path of an event.
func pathOf(template, event string) string {
	return strings.Replace(template, "{id}", url.PathEscape(event), 1)
}
