package views

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sync/singleflight"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

var staleViews = promauto.NewCounter(prometheus.CounterOpts{
	Name: "gateway_stale_views_total",
	Help: "Responses about events from the gateway's cache while event-service was down.",
})

const (
	// fetchTimeout limits a fetch, which several clients may share.
	fetchTimeout = 20 * time.Second
	// staleAfter is how long a client waits for a fetch before it gets the cached view: an event-service
	// that hangs is as good as down.
	staleAfter = 2 * time.Second
)

var errSlow = errors.New("no response from event-service in time")

// Fetcher gets views from event-service and caches them.
type Fetcher struct {
	forwarder *upstream.Forwarder
	cache     *Store
	flights   singleflight.Group
}

// NewFetcher returns a Fetcher with an empty cache.
func NewFetcher(f *upstream.Forwarder) *Fetcher { return &Fetcher{forwarder: f, cache: NewStore()} }

// Get returns the response to a request that has nothing personal: the one event-service sends, or the
// stale one if event-service fails or is slow. Concurrent requests for a view share a fetch. Errors:
// ctx's error, or a problem if nothing is cached.
func (f *Fetcher) Get(ctx context.Context, req *upstream.Request) (*View, error) {
	key := cacheKey(req)
	fetched := f.flights.DoChan(key, func() (any, error) {
		// Other clients may share this fetch, so it outlives this one's request.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return f.fetch(ctx, req, key)
	})
	var slow <-chan time.Time
	if f.cache.Get(key) != nil {
		timer := time.NewTimer(staleAfter)
		defer timer.Stop()
		slow = timer.C
	}
	var view *View
	var err error
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-slow:
		err = problem.Unavailable(errSlow)
	case got := <-fetched:
		view, err = got.Val.(*View), got.Err //nolint:forcetypeassert // what fetch returns
		if err == nil && view.Status < http.StatusInternalServerError {
			return view, nil
		}
	}
	if stale := f.Stale(req); stale != nil {
		return stale, nil
	}
	return view, err
}

// Stale returns the cached view for a request, or nil if there is none.
func (f *Fetcher) Stale(req *upstream.Request) *View {
	cached := f.cache.Get(cacheKey(req))
	if cached == nil {
		return nil
	}
	staleViews.Inc()
	view := *cached
	view.Stale = true
	return &view
}

// fetch gets a view from event-service, and caches it. It sends the ETag of the cached view, so that
// event-service need not send an unchanged body again.
func (f *Fetcher) fetch(ctx context.Context, req *upstream.Request, key string) (*View, error) {
	req.Header.Del("If-None-Match")
	cached := f.cache.Get(key)
	if cached != nil && cached.Header.Get("ETag") != "" {
		req.Header.Set("If-None-Match", cached.Header.Get("ETag"))
	}
	resp, err := f.forwarder.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	if resp.Status == http.StatusNotModified && cached != nil {
		view := *cached
		view.ConfirmedAt = time.Now()
		f.cache.Put(key, &view)
		return &view, nil
	}
	body, whole, err := resp.ReadAll(MaxBody)
	if err != nil {
		return nil, problem.Unavailable(fmt.Errorf("read response: %w", err))
	}
	if !whole {
		return nil, fmt.Errorf("response to %s is larger than %d bytes", req.Path, MaxBody)
	}
	view := &View{Status: resp.Status, Header: resp.Header, Body: body, ConfirmedAt: time.Now()}
	switch resp.Status {
	case http.StatusOK:
		if err := verify(view); err != nil {
			return nil, problem.Unavailable(fmt.Errorf("verify response to %s: %w", req.Path, err))
		}
		if !strings.Contains(resp.Header.Get("Cache-Control"), "no-store") {
			f.cache.Put(key, view)
		}
	case http.StatusNotFound, http.StatusGone:
		f.cache.Remove(key)
	}
	return view, nil
}

// verify checks that a compressed body can be decompressed: a damaged one must not replace a good one.
func verify(v *View) error {
	if v.Header.Get("Content-Encoding") != "gzip" {
		return nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(v.Body))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, reader) //nolint:gosec // event-service is trusted, and nothing is kept
	return err
}

func cacheKey(req *upstream.Request) string {
	if req.Query == "" {
		return req.Path
	}
	return req.Path + "?" + req.Query
}
