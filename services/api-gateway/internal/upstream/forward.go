package upstream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

const (
	maxAttempts = 3
	// sameReplicaPause is the wait before the only replica is retried.
	sameReplicaPause = 50 * time.Millisecond
	dialTimeout      = 500 * time.Millisecond
	// deadline limits all attempts of a request together. The identity token lives as long.
	deadline = 28 * time.Second
)

// Forwarder sends requests to services.
type Forwarder struct {
	pools     map[string]*Pool
	spread    bool
	transport *http.Transport
}

// NewForwarder returns a forwarder to pools, which are keyed by service name. With spread set,
// requests with a key go round robin instead of to the key's owner.
func NewForwarder(pools map[string]*Pool, spread bool) *Forwarder {
	return &Forwarder{pools: pools, spread: spread, transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConns:        4096,
		MaxIdleConnsPerHost: 1024,
		// Shorter than the services' own, so that they do not close a connection in use.
		IdleConnTimeout:    60 * time.Second,
		DisableCompression: true,
		WriteBufferSize:    8 << 10,
		ReadBufferSize:     8 << 10,
	}}
}

// Close closes the idle connections.
func (f *Forwarder) Close() { f.transport.CloseIdleConnections() }

// Do returns a replica's response, whatever its status; the caller closes it. Errors: ctx's error, or
// a problem: unavailable if nothing was done, outcome_unknown if something may have been done, or
// upstream_timeout.
func (f *Forwarder) Do(ctx context.Context, req *Request) (*Response, error) {
	pool, mode := f.pools[req.Route.Service], f.mode(req.Route)
	pool.budget.deposit()
	// An attempt needs a chance to finish before the deadline.
	lastStart := time.Now().Add(deadline - req.Route.Timeout/2)
	replica := pool.pick(mode, req.Key, nil)
	if replica == nil {
		return nil, problem.Unavailable(fmt.Errorf("no replica of %s is up", req.Route.Service))
	}
	var tried []*Instance
	for {
		tried = append(tried, replica)
		got := f.attempt(ctx, replica, req)
		retry := got.mayRetry(req.Route)
		if got.outcome == answered && !retry {
			return got.response, nil
		}
		if ctx.Err() != nil {
			got.response.Close()
			return nil, ctx.Err()
		}
		replica = nil
		if retry && len(tried) < maxAttempts && time.Now().Before(lastStart) {
			replica = pool.pick(mode, req.Key, tried)
			if replica == nil && len(tried) == 1 && got.outcome != answered {
				// The only replica may just be restarting.
				clock.Sleep(ctx, sameReplicaPause)
				replica = pool.pick(mode, req.Key, nil)
			}
		}
		if replica == nil || !pool.budget.withdraw() {
			return got.response, got.problem(req.Route)
		}
		got.response.Close()
		retries.WithLabelValues(req.Route.Service).Inc()
	}
}

// mode returns how a replica is picked for a route.
func (f *Forwarder) mode(rt *route.Route) Mode {
	switch {
	case rt.Key == route.NoKey:
		return LeastLoaded
	case f.spread:
		return RoundRobin
	default:
		return Hashed
	}
}
