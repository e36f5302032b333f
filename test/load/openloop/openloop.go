// Package openloop sends HTTP requests at times fixed beforehand, whether or
// not earlier ones were answered, and counts each answer's delay from the time
// its request was due: a server that stalls is charged for every request that
// fell due meanwhile, not only for those it let in (the coordinated omission
// of closed-loop generators; G. Tene, "How NOT to Measure Latency").
//
// It shares its machine with what it measures, so it is lean: a goroutine and
// a buffer a connection, no map, nothing allocated per request.
package openloop

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Run says what to send.
type Run struct {
	// Rate is arrivals a second; 0 sends as fast as answers come, a request a
	// connection.
	Rate float64
	// Count bounds the requests, Length the time in which they begin.
	Count  int
	Length time.Duration
	// Connections bounds the requests that are under way at once. Those due
	// while all are busy wait in the generator, and that counts as their delay.
	Connections int
	// Stop, if set, ends a run with a Rate early when it is closed: nothing more falls due.
	Stop <-chan struct{}
	// Request appends the i-th request, as it goes over the wire, to buf.
	Request func(buf []byte, i int) []byte
	// Answer, if set, is told of each answer, on its connection's goroutine;
	// body is good until it returns.
	Answer func(i, status int, body []byte)
	// Then, if set, appends a request that follows the i-th one's answer on the
	// same connection, or nothing. Its answer's status is in Sample.Second.
	Then func(buf []byte, i, status int, body []byte) []byte
	// Second, if set, is told of each answer to a request that followed.
	Second func(i, status int, body []byte)
	// Lost, if set, is told why a request, or the one that followed, got no answer.
	Lost func(i int, err error)
}

// Sample is what became of one request; times are nanoseconds since the run
// began.
type Sample struct {
	Due, Sent, Done int64
	// Status of the answer; 0: none came.
	Status int
	// Second is the status of the answer to the request that followed.
	Second int
	// Retry tells whether the answer said when to come again.
	Retry bool
}

// Delay from the time the request was due to the end of its answer.
func (s Sample) Delay() time.Duration { return time.Duration(s.Done - s.Due) }

// Result is a run's samples, in the order in which they were due.
type Result struct {
	Begin   time.Time
	Samples []Sample
	// Length is the time in which requests began; answers may come later.
	Length time.Duration
	// Unstarted is how many were due and still waited for a connection when
	// the run was given up.
	Unstarted int
}

// patience is how long the answers that are under way at the end are waited for.
const patience = 15 * time.Second

// Target is a server and the connections to it that are kept between runs.
type Target struct {
	addr string

	mu   sync.Mutex
	idle []*conn
}

// NewTarget returns a target at host:port, on this machine: the generator
// refuses to load any other.
func NewTarget(addr string) (*Target, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("the target %q is not an address and a port: %w", addr, err)
	}
	if !at.Addr().Is4() || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("the target %s is not in 127.0.0.0/8: load is for this machine only", addr)
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

// Do runs r to its end.
func (t *Target) Do(ctx context.Context, r Run) Result {
	count := r.Count
	if r.Rate > 0 {
		count = min(count, Arrivals(r.Rate, r.Length))
	}
	run := &running{Run: r, target: t, samples: make([]Sample, count), begin: time.Now()}
	run.end = run.begin.Add(r.Length)
	ctx, cancel := context.WithDeadline(ctx, run.end.Add(patience))
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
	run.giveUp()
	return Result{Begin: run.begin, Samples: samples, Length: run.length(), Unstarted: run.unstarted}
}

// Arrivals is how many requests fall due in a length of time.
func Arrivals(rate float64, length time.Duration) int { return int(rate * length.Seconds()) }

// Due is when the i-th request falls due, after the beginning.
func Due(rate float64, i int) time.Duration {
	return time.Duration(float64(i) / rate * float64(time.Second))
}

// running is a run under way.
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

// length is the time in which requests began.
func (r *running) length() time.Duration {
	if last := time.Since(r.begin); last < r.Length {
		return last
	}
	return r.Length
}

// paced starts each request when it falls due.
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

// start gives request i to a free connection, or to a new one, or lets it wait.
func (r *running) start(i int) {
	r.under.Add(1)
	r.mu.Lock()
	var c *conn
	switch n := len(r.free); {
	case n > 0:
		// The one used last: its memory is warm, and few are used when few are needed.
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

// following returns the request that waits longest, or parks c.
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

// closed sends on every connection as fast as answers come.
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

// wait returns when all is answered, or ctx ends.
func (r *running) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		r.under.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		// What is still without a connection stays without an answer.
		r.mu.Lock()
		r.unstarted = len(r.waiting)
		r.under.Add(-len(r.waiting))
		r.waiting = nil
		r.mu.Unlock()
		<-done
	}
}

// giveUp ends the goroutines of the free connections.
func (r *running) giveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for _, c := range r.free {
		c.work <- finished
	}
	r.free = nil
}
