package edge

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/views"
)

// showView responds with the public view, which clients share. Organisers and admins see more, and so does
// a caller who asks for their own events; their responses are not shared.
func (s *Server) showView(c *call, req *upstream.Request) error {
	query := c.r.URL.Query()
	maps.DeleteFunc(query, func(name string, _ []string) bool {
		return !slices.Contains(c.endpoint.route.Params, name)
	})
	req.Query = query.Encode()
	if mine := query.Has("mine"); mine || c.caller.CanOrganize() {
		return s.showOwn(c, req, mine)
	}
	// The cached copy must contain nothing personal: fetch it as an anonymous caller. A venue has
	// megabytes, so the cache has the gzip only.
	req.Header = s.outgoing(c, identity.Identity{Role: identity.Anonymous})
	req.Header.Set("Accept-Encoding", "gzip")
	view, err := s.views.Get(c.r.Context(), req)
	if err != nil {
		return err
	}
	return writeView(c, view)
}

// showOwn responds with what the caller may see. Unless mine limits that to their own events, the public
// view is the fallback while event-service is down.
func (s *Server) showOwn(c *call, req *upstream.Request, mine bool) error {
	req.Header = s.outgoing(c, c.caller)
	if httpapi.AcceptsEncoding(c.r.Header.Get("Accept-Encoding"), "gzip") {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := s.Forwarder.Do(c.r.Context(), req)
	if !mine && (err != nil || resp.Status >= http.StatusInternalServerError) {
		if stale := s.views.Stale(req); stale != nil {
			resp.Close()
			return writeView(c, stale)
		}
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	pass(c, resp)
	return nil
}

// writeView responds with a view, or with 304 if the client has it. Error: a body that can't be decompressed.
func writeView(c *call, view *views.View) error {
	h := c.w.Header()
	copyHeader(h, view.Header)
	if view.Stale {
		h.Set("Warning", `110 - "Response is Stale"`)
		h.Set("X-Frontrow-Stale", "true")
		h.Set("Age", strconv.Itoa(int(time.Since(view.ConfirmedAt).Seconds())))
		// Not to be cached: event-service may respond differently once it is back.
		h.Set("Cache-Control", "no-cache")
	}
	if view.Status == http.StatusOK && httpapi.ETagMatches(c.r.Header.Get("If-None-Match"), h.Get("ETag")) {
		h.Del("Content-Length")
		h.Del("Content-Type")
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body := view.Body
	if h.Get("Content-Encoding") == "gzip" && !httpapi.AcceptsEncoding(c.r.Header.Get("Accept-Encoding"), "gzip") {
		h.Del("Content-Encoding")
		var err error
		if body, err = unpack(body); err != nil {
			return fmt.Errorf("decompress view: %w", err)
		}
	}
	writeBody(c.w, view.Status, body)
	return nil
}

// writeBody writes a whole response, whose other headers are set.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// The client may have disconnected.
	_, _ = w.Write(body)
}

// unpack decompresses a gzip body.
func unpack(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}
