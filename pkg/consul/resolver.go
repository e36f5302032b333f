package consul

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

const (
	// waitTime is how long a blocking query waits for a change.
	waitTime = 30 * time.Second
	// grace is how long instances missing from Consul's response are kept after
	// an outage. Consul may have restarted empty, and the instances register
	// again meanwhile.
	grace = 30 * time.Second
	// minPause limits how often a constantly changing service is queried.
	minPause = 20 * time.Millisecond
)

// Instance is one running instance of a service.
type Instance struct {
	ID string
	// Addr is host:port.
	Addr string
}

// Resolver tracks the healthy instances of some services. While discovery is
// unavailable it keeps the last known instances.
type Resolver struct {
	// query returns the instances of a service once they differ from index, or
	// after wait.
	query    func(ctx context.Context, service string, index uint64, wait time.Duration) ([]Instance, uint64, error)
	log      *slog.Logger
	services map[string]*watch
	grace    time.Duration

	mu       sync.Mutex
	onChange []func(service string, instances []Instance)
}

type watch struct {
	instances atomic.Pointer[[]Instance]
	// answered reports whether any response has arrived.
	answered atomic.Bool
}

// NewResolver returns a resolver of the named services by the agent addr (host:port).
func NewResolver(addr string, services ...string) (*Resolver, error) {
	client, err := newClient(addr)
	if err != nil {
		return nil, err
	}
	r := &Resolver{query: health{client}.query, log: slog.Default(), services: map[string]*watch{}, grace: grace}
	for _, s := range services {
		r.add(s)
	}
	return r, nil
}

func (r *Resolver) add(service string) {
	w := &watch{}
	w.instances.Store(&[]Instance{})
	r.services[service] = w
}

// Instances returns the healthy instances of a service, sorted by ID. The
// caller must not change the slice. It takes no lock.
func (r *Resolver) Instances(service string) []Instance {
	if w, ok := r.services[service]; ok {
		return *w.instances.Load()
	}
	return nil
}

// OnChange registers f to be called after every change of a service's
// instances, one call at a time. Call OnChange before Run.
func (r *Resolver) OnChange(f func(service string, instances []Instance)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onChange = append(r.onChange, f)
}

// Answered reports whether every service has had at least one response.
func (r *Resolver) Answered() bool {
	for _, w := range r.services {
		if !w.answered.Load() {
			return false
		}
	}
	return true
}

// Run watches the services until ctx ends; it returns nil then.
func (r *Resolver) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for name, w := range r.services {
		wg.Go(func() { r.follow(ctx, name, w) })
	}
	wg.Wait()
	<-ctx.Done() // there may be no services to watch
	return nil
}

// follow repeats blocking queries for one service.
func (r *Resolver) follow(ctx context.Context, name string, w *watch) {
	var (
		index     uint64
		b         backoff
		keepUntil time.Time
		down      bool
	)
	for ctx.Err() == nil {
		wait := waitTime
		if left := time.Until(keepUntil); left > 0 {
			// Wake when the grace period ends, to drop instances that did not
			// return.
			wait = min(wait, left+100*time.Millisecond)
		} else if len(*w.instances.Load()) > 0 && !keepUntil.IsZero() {
			// The grace period has just ended: query without waiting.
			index, keepUntil = 0, time.Time{}
		}
		found, newIndex, err := r.query(ctx, name, index, wait)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if !down {
				r.log.WarnContext(ctx, "discovery failed, keeping last known instances", "watched", name, "error", err)
			}
			down, index = true, 0
			b.wait(ctx)
			continue
		}
		b.reset()
		if w.answered.Load() && (down || newIndex < index) {
			keepUntil = time.Now().Add(r.grace)
		}
		down = false
		if newIndex < index {
			newIndex = 0
		}
		index = newIndex
		if time.Now().Before(keepUntil) {
			found = union(found, *w.instances.Load())
		}
		w.answered.Store(true)
		r.set(ctx, name, w, found)
		clock.Sleep(ctx, minPause)
	}
}

// health queries Consul for healthy instances.
type health struct{ client *api.Client }

func (h health) query(ctx context.Context, name string, index uint64, wait time.Duration) ([]Instance, uint64, error) {
	// An agent adds up to a sixteenth of the wait as jitter.
	ctx, cancel := context.WithTimeout(ctx, wait+wait/16+requestTimeout)
	defer cancel()
	q := (&api.QueryOptions{WaitIndex: index, WaitTime: wait}).WithContext(ctx)
	entries, meta, err := h.client.Health().Service(name, "", true, q)
	if err != nil {
		return nil, 0, fmt.Errorf("watch %s: %w", name, err)
	}
	found := make([]Instance, 0, len(entries))
	for _, e := range entries {
		host := e.Service.Address
		if host == "" {
			host = e.Node.Address
		}
		found = append(found, Instance{ID: e.Service.ID, Addr: net.JoinHostPort(host, strconv.Itoa(e.Service.Port))})
	}
	return found, meta.LastIndex, nil
}

func (r *Resolver) set(ctx context.Context, name string, w *watch, found []Instance) {
	slices.SortFunc(found, func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
	if slices.Equal(found, *w.instances.Load()) {
		return
	}
	w.instances.Store(&found)
	r.log.InfoContext(ctx, "instances changed", "watched", name, "count", len(found))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.onChange {
		f(name, found)
	}
}

// union returns found plus the instances of known whose ID and address are not
// in found.
func union(found, known []Instance) []Instance {
	all := slices.Clone(found)
	for _, k := range known {
		taken := slices.ContainsFunc(found, func(i Instance) bool { return i.ID == k.ID || i.Addr == k.Addr })
		if !taken {
			all = append(all, k)
		}
	}
	return all
}
