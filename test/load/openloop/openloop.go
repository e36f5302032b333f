// Package openloop sends HTTP requests at predetermined times, whether or not
// earlier ones were answered, and measures each response's delay from the time
// its request was due: a server that stalls is charged for every request that
// became due meanwhile, not only for those it accepted (the coordinated
// omission of closed-loop generators; G. Tene, "How NOT to Measure Latency").
//
// It shares its machine with what it measures, so it is lean: one goroutine and
// one buffer per connection, no map, no allocation per request.
package openloop

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Run configures a run.
type Run struct {
	// Rate is in arrivals per second; 0 sends as fast as responses arrive, with
	// one request per connection.
	Rate float64
	// Count limits the requests, Length the time in which they start.
	Count  int
	Length time.Duration
	// Connections limits concurrent requests. Requests due while all
	// connections are busy wait in the generator, which counts as their delay.
	Connections int
	// Stop, if not nil, ends a run with a Rate early when it is closed: no more
	// requests become due.
	Stop <-chan struct{}
	// Request appends the i-th request, in wire format, to buf.
	Request func(buf []byte, i int) []byte
	// Answer, if not nil, is called with each response on its connection's
	// goroutine; body is valid until it returns.
	Answer func(i, status int, body []byte)
	// Then, if not nil, appends a request that follows the i-th response on the
	// same connection, or nothing. The status of its response is in
	// Sample.Second.
	Then func(buf []byte, i, status int, body []byte) []byte
	// Second, if not nil, is called with each response to a follow-up request.
	Second func(i, status int, body []byte)
	// Lost, if not nil, is called with the reason when a request or its
	// follow-up got no response.
	Lost func(i int, err error)
}

// Sample is the outcome of one request; times are in nanoseconds since the run
// began.
type Sample struct {
	Due, Sent, Done int64
	// Status is the status of the response; 0 if there was none.
	Status int
	// Second is the status of the response to the follow-up request.
	Second int
	// Retry reports whether the response had Retry-After.
	Retry bool
}

// Delay returns the time from when the request was due to the end of its
// response.
func (s Sample) Delay() time.Duration { return time.Duration(s.Done - s.Due) }

// Result holds a run's samples, in the order in which they were due.
type Result struct {
	Begin   time.Time
	Samples []Sample
	// Length is the time in which requests started; responses may arrive later.
	Length time.Duration
	// Unstarted is the number of due requests that still waited for a
	// connection when the run was given up.
	Unstarted int
}

// finishTimeout is how long to wait for outstanding responses at the end.
const finishTimeout = 15 * time.Second

// Target is a server and its connections, which are kept between runs.
type Target struct {
	addr string

	mu   sync.Mutex
	idle []*conn
}

// NewTarget returns a target at host:port, which must be on this machine: the
// generator refuses any other.
func NewTarget(addr string) (*Target, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("target %q is not an address and port: %w", addr, err)
	}
	if !at.Addr().Is4() || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("target %s is not in 127.0.0.0/8: load is for this machine only", addr)
	}
	return &Target{addr: addr}, nil
}

// Close closes the connections.
func (t *Target) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.idle {
		c.close()
	}
	t.idle = nil
}

// Do executes r.
func (t *Target) Do(ctx context.Context, r Run) Result {
	count := r.Count
	if r.Rate > 0 {
		count = min(count, Arrivals(r.Rate, r.Length))
	}
	run := &running{Run: r, target: t, samples: make([]Sample, count), begin: time.Now()}
	run.end = run.begin.Add(r.Length)
	ctx, cancel := context.WithDeadline(ctx, run.end.Add(finishTimeout))
	defer cancel()
	run.ctx = ctx
	if r.Rate > 0 {
		run.paced(ctx)
	} else {
		run.closed(ctx)
	}
	samples := run.samples
	if r.Rate <= 0 {
		samples = samples[:min(count, int(run.next.Load()))]
	}
	run.abandon()
	return Result{Begin: run.begin, Samples: samples, Length: run.length(), Unstarted: run.unstarted}
}

// Arrivals returns how many requests become due in a length of time.
func Arrivals(rate float64, length time.Duration) int { return int(rate * length.Seconds()) }

// Due returns when the i-th request is due, relative to the start.
func Due(rate float64, i int) time.Duration {
	return time.Duration(float64(i) / rate * float64(time.Second))
}

// running is the state of a run in progress.
type running struct {
	Run
	ctx        context.Context
	target     *Target
	samples    []Sample
	begin, end time.Time
	next       atomic.Int64

	mu sync.Mutex
	// free are connections without a request; waiting are requests without a
	// connection, by number.
	free      []*conn
	waiting   []int
	open      int
	unstarted int
	under     sync.WaitGroup
	over      bool
}

// length is the time in which requests started.
func (r *running) length() time.Duration {
	if last := time.Since(r.begin); last < r.Length {
		return last
	}
	return r.Length
}

// paced starts each request when it is due.
func (r *running) paced(ctx context.Context) {
	for i := range r.samples {
		due := Due(r.Rate, i)
		if wait := due - time.Since(r.begin); wait > 0 {
			time.Sleep(wait)
		}
		if r.stopped() {
			r.samples = r.samples[:i]
			break
		}
		r.samples[i].Due = int64(due)
		if ctx.Err() != nil {
			break
		}
		r.start(i)
	}
	r.wait(ctx)
}

func (r *running) stopped() bool {
	select {
	case <-r.Stop:
		return true
	default:
		return false
	}
}

// start gives request i to a free or new connection, or queues it.
func (r *running) start(i int) {
	r.under.Add(1)
	r.mu.Lock()
	var c *conn
	switch n := len(r.free); {
	case n > 0:
		// Take the one used last: its memory is warm, and fewer connections
		// stay in use.
		c = r.free[n-1]
		r.free = r.free[:n-1]
	case r.open < r.Connections:
		r.open++
		c = r.target.conn()
		go r.serve(c)
	default:
		r.waiting = append(r.waiting, i)
	}
	r.mu.Unlock()
	if c != nil {
		c.work <- i
	}
}

// serve sends one request after another on a connection.
func (r *running) serve(c *conn) {
	defer r.target.keep(c)
	for i := range c.work {
		for i >= 0 {
			c.send(r, i)
			r.under.Done()
			i = r.following(c)
		}
		if i == finished {
			return
		}
	}
}

const (
	idle     = -1
	finished = -2
)

// following returns the request that has waited longest, or parks c.
func (r *running) following(c *conn) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.over:
		return finished
	case len(r.waiting) > 0:
		i := r.waiting[0]
		r.waiting = r.waiting[1:]
		return i
	}
	r.free = append(r.free, c)
	return idle
}

// closed sends on every connection as fast as responses arrive.
func (r *running) closed(ctx context.Context) {
	for range r.Connections {
		r.under.Add(1)
		c := r.target.conn()
		go func() {
			defer r.under.Done()
			defer r.target.keep(c)
			for time.Now().Before(r.end) && ctx.Err() == nil {
				i := int(r.next.Add(1)) - 1
				if i >= len(r.samples) {
					return
				}
				r.samples[i].Due = int64(time.Since(r.begin))
				c.send(r, i)
			}
		}()
	}
	r.under.Wait()
}

// wait returns when all requests are answered or ctx ends.
func (r *running) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		r.under.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		// Requests still without a connection stay unanswered.
		r.mu.Lock()
		r.unstarted = len(r.waiting)
		r.under.Add(-len(r.waiting))
		r.waiting = nil
		r.mu.Unlock()
		<-done
	}
}

// abandon ends the goroutines of the free connections.
func (r *running) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for _, c := range r.free {
		c.work <- finished
	}
	r.free = nil
}
