package edge

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/views"
)

var staleViews = promauto.NewCounter(prometheus.CounterOpts{
	Name: "gateway_stale_views_total", Help: "Responses about events from the gateway's cache while event-service was down.",
})

const (
	// viewTimeout limits a fetch, which several clients may share.
	viewTimeout = 20 * time.Second
	// staleAfter is how long a client waits for a fetch before it is shown the
	// cached copy: an event-service that hangs is as good as down.
	staleAfter = 2 * time.Second
)

var errSlowView = errors.New("no response from event-service in time")

// shown is a public response about events.
type shown struct {
	status int
	header http.Header
	body   []byte
}

// showView answers with what everybody may see. Concurrent identical requests
// share one fetch from event-service; while that is down, the last cached copy
// is served. Organisers and admins see more, so their requests are not shared.
func (s *Server) showView(c *call, req *upstream.Request) error {
	query := c.r.URL.Query()
	maps.DeleteFunc(query, func(name string, _ []string) bool { return !slices.Contains(c.entry.route.Params, name) })
	req.Query = query.Encode()
	key := req.Path
	if req.Query != "" {
		key += "?" + req.Query
	}
	if query.Has("mine") || c.who.CanOrganize() {
		return s.showOwn(c, req, key, !query.Has("mine"))
	}
	result := s.flights.DoChan(key, func() (any, error) {
		// Fetch as an anonymous caller: nothing personal may get into the
		// cached copy.
		req.Header = s.outgoing(c, identity.Identity{Role: identity.Anonymous})
		// A venue has megabytes and only one copy is cached: it is unpacked for
		// clients that can't accept gzip.
		req.Header.Set("Accept-Encoding", "gzip")
		// Other clients may share this fetch, so it outlives ours.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), viewTimeout)
		defer cancel()
		return s.fetchView(ctx, req, key)
	})
	var late <-chan time.Time
	if s.views.Get(key) != nil {
		timer := time.NewTimer(staleAfter)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-c.r.Context().Done():
		return c.r.Context().Err()
	case <-late:
		return s.showStale(c, key, problem.Unavailable(errSlowView))
	case got := <-result:
		if got.Err != nil {
			return s.showStale(c, key, got.Err)
		}
		answer := got.Val.(*shown) //nolint:forcetypeassert // what fetchView returns
		if answer.status >= http.StatusInternalServerError {
			if s.views.Get(key) != nil {
				return s.showStale(c, key, nil)
			}
		}
		show(c, answer)
		return nil
	}
}

// showOwn fetches for one caller. If publicToo is set, the public copy serves
// as a fallback.
func (s *Server) showOwn(c *call, req *upstream.Request, key string, publicToo bool) error {
	req.Header = s.outgoing(c, c.who)
	if accepts(c.r.Header.Get("Accept-Encoding"), "gzip") {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := s.Forwarder.Do(c.r.Context(), req)
	if err != nil {
		if publicToo {
			return s.showStale(c, key, err)
		}
		return err
	}
	defer resp.Close()
	if publicToo && resp.Status >= http.StatusInternalServerError && s.views.Get(key) != nil {
		return s.showStale(c, key, nil)
	}
	pass(c, resp)
	return nil
}

// fetchView fetches from event-service, with the ETag of the cached copy so
// that an unchanged body is not sent again, and caches the response.
func (s *Server) fetchView(ctx context.Context, req *upstream.Request, key string) (*shown, error) {
	kept := s.views.Get(key)
	req.Header.Del("If-None-Match")
	if kept != nil && kept.Header.Get("ETag") != "" {
		req.Header.Set("If-None-Match", kept.Header.Get("ETag"))
	}
	resp, err := s.Forwarder.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	if resp.Status == http.StatusNotModified && kept != nil {
		s.views.Put(key, &views.View{Header: kept.Header, Body: kept.Body, At: time.Now()})
		return &shown{http.StatusOK, kept.Header, kept.Body}, nil
	}
	body, whole, err := resp.ReadAll(views.MaxBody)
	if err != nil {
		return nil, problem.Unavailable(fmt.Errorf("response interrupted: %w", err))
	}
	if !whole {
		return nil, fmt.Errorf("response to %s is larger than %d bytes", req.Path, views.MaxBody)
	}
	header := http.Header{}
	copyHeader(header, resp.Header)
	switch resp.Status {
	case http.StatusOK:
		if !strings.Contains(header.Get("Cache-Control"), "no-store") {
			s.views.Put(key, &views.View{Header: header, Body: body, At: time.Now()})
		}
	case http.StatusNotFound, http.StatusGone:
		s.views.Remove(key)
	}
	return &shown{resp.Status, header, body}, nil
}

// showStale answers with the cached copy, marked as stale, or returns err if
// there is none.
func (s *Server) showStale(c *call, key string, err error) error {
	kept := s.views.Get(key)
	if kept == nil {
		return err
	}
	staleViews.Inc()
	h := c.w.Header()
	h.Set("Warning", `110 - "Response is Stale"`)
	h.Set("X-Frontrow-Stale", "true")
	h.Set("Age", strconv.Itoa(int(time.Since(kept.At).Seconds())))
	show(c, &shown{http.StatusOK, kept.Header, kept.Body})
	return nil
}

func show(c *call, s *shown) {
	h := c.w.Header()
	copyHeader(h, s.header)
	if h.Get("X-Frontrow-Stale") != "" {
		// Not to be cached: event-service may answer differently once it is
		// back.
		h.Set("Cache-Control", "no-cache")
	}
	if s.status == http.StatusOK && matches(c.r.Header.Get("If-None-Match"), h.Get("ETag")) {
		h.Del("Content-Length")
		h.Del("Content-Type")
		c.w.WriteHeader(http.StatusNotModified)
		return
	}
	body := s.body
	if h.Get("Content-Encoding") == "gzip" && !accepts(c.r.Header.Get("Accept-Encoding"), "gzip") {
		h.Del("Content-Encoding")
		body = unpack(body)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(s.status)
	// The client may have disconnected.
	_, _ = c.w.Write(body)
}

// unpack decompresses a gzip body.
func unpack(packed []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("a service's gzip: " + err.Error())
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		panic("a service's gzip: " + err.Error())
	}
	return body
}

// matches compares an If-None-Match header with an ETag, weakly (RFC 9110, 13.1.2).
func matches(header, etag string) bool {
	if header == "" || etag == "" {
		return false
	}
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for tag := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
