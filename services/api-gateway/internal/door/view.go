package door

import (
	"bytes"
	"compress/gzip"
	"context"
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
	Name: "gateway_stale_views_total", Help: "Answers about events from the gateway's copy while event-service was down.",
})

// viewTimeout bounds the fetch that several clients may wait for.
const viewTimeout = 20 * time.Second

// shown is an answer about events for anybody.
type shown struct {
	status int
	header http.Header
	body   []byte
}

// showView answers what everybody may see: from event-service, once for all who
// ask the same at the same time; while it is down from the last copy. Organisers
// and admins see more, so they ask for themselves.
func (d *Door) showView(c *call, req *upstream.Request) error {
	query := c.r.URL.Query()
	maps.DeleteFunc(query, func(name string, _ []string) bool { return !slices.Contains(c.entry.route.Params, name) })
	req.Query = query.Encode()
	key := req.Path
	if req.Query != "" {
		key += "?" + req.Query
	}
	if query.Has("mine") || c.who.CanOrganize() {
		return d.showOwn(c, req, key, !query.Has("mine"))
	}
	result := d.flights.DoChan(key, func() (any, error) {
		// For a customer as for anybody: nothing personal can get into the copy.
		req.Header = d.outgoing(c, identity.Identity{Role: identity.Anonymous})
		// A venue has megabytes, and one copy is kept for all: who can't unpack it gets it unpacked.
		req.Header.Set("Accept-Encoding", "gzip")
		// Others may wait for this too when our client leaves.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), viewTimeout)
		defer cancel()
		return d.fetchView(ctx, req, key)
	})
	select {
	case <-c.r.Context().Done():
		return c.r.Context().Err()
	case got := <-result:
		if got.Err != nil {
			return d.showStale(c, key, got.Err)
		}
		answer := got.Val.(*shown) //nolint:forcetypeassert // what fetchView returns
		if answer.status >= http.StatusInternalServerError {
			if d.views.Get(key) != nil {
				return d.showStale(c, key, nil)
			}
		}
		show(c, answer)
		return nil
	}
}

// showOwn asks for one caller; the public copy stands in if it may.
func (d *Door) showOwn(c *call, req *upstream.Request, key string, publicToo bool) error {
	req.Header = d.outgoing(c, c.who)
	if accepts(c.r.Header.Get("Accept-Encoding"), "gzip") {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := d.Forwarder.Do(c.r.Context(), req)
	if err != nil {
		if publicToo {
			return d.showStale(c, key, err)
		}
		return err
	}
	defer resp.Close()
	if publicToo && resp.Status >= http.StatusInternalServerError && d.views.Get(key) != nil {
		return d.showStale(c, key, nil)
	}
	pass(c, resp)
	return nil
}

// fetchView asks event-service, with the kept copy's ETag so that what has not
// changed is not sent again, and keeps the answer.
func (d *Door) fetchView(ctx context.Context, req *upstream.Request, key string) (*shown, error) {
	kept := d.views.Get(key)
	req.Header.Del("If-None-Match")
	if kept != nil && kept.Header.Get("ETag") != "" {
		req.Header.Set("If-None-Match", kept.Header.Get("ETag"))
	}
	resp, err := d.Forwarder.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	if resp.Status == http.StatusNotModified && kept != nil {
		d.views.Put(key, &views.View{Header: kept.Header, Body: kept.Body, At: time.Now()})
		return &shown{http.StatusOK, kept.Header, kept.Body}, nil
	}
	body, whole, err := resp.ReadAll(views.MaxBody)
	if err != nil {
		return nil, problem.Unavailable(fmt.Errorf("answer broke off: %w", err))
	}
	if !whole {
		return nil, fmt.Errorf("answer of %s is larger than %d bytes", req.Path, views.MaxBody)
	}
	header := http.Header{}
	copyHeader(header, resp.Header)
	switch resp.Status {
	case http.StatusOK:
		if !strings.Contains(header.Get("Cache-Control"), "no-store") {
			d.views.Put(key, &views.View{Header: header, Body: body, At: time.Now()})
		}
	case http.StatusNotFound, http.StatusGone:
		d.views.Remove(key)
	}
	return &shown{resp.Status, header, body}, nil
}

// showStale answers with the kept copy, marked as such; without one with err.
func (d *Door) showStale(c *call, key string, err error) error {
	kept := d.views.Get(key)
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
		// Not to be kept: event-service may say otherwise when it is back.
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
	// The client may have left.
	_, _ = c.w.Write(body)
}

// unpack returns what a service has compressed.
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
