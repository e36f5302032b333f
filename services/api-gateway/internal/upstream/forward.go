package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

const (
	maxAttempts = 3
	// sameAgainPause is the wait before the only replica is retried.
	sameAgainPause = 50 * time.Millisecond
	dialTimeout    = 500 * time.Millisecond
	// bodyTimeout is how long the rest of a response may take.
	bodyTimeout = 30 * time.Second
	// deadline limits all attempts of a request together. The identity token
	// lives as long.
	deadline = 28 * time.Second
	// maxBuffered is the size up to which a response is read before it is
	// passed on. An interrupted one then counts as no response and may be
	// retried.
	maxBuffered = 64 << 10
)

var errAttemptTimeout = errors.New("attempt timed out")

// IdempotencyKey is the header name as sent to a service. In canonical spelling
// it would make http.Transport resend a POST by itself after a broken
// connection; here that is the client's decision.
const IdempotencyKey = "idempotency-key"

// Forwarder sends requests to services.
type Forwarder struct {
	pools     map[string]*Pool
	spread    bool
	transport *http.Transport
}

// NewForwarder returns a forwarder to pools, which are keyed by service name.
// With spread set, requests that belong together are spread over the replicas
// anyway.
func NewForwarder(pools map[string]*Pool, spread bool) *Forwarder {
	return &Forwarder{pools: pools, spread: spread, transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConns:        4096,
		MaxIdleConnsPerHost: 1024,
		// Shorter than the services' own, so that they do not close a
		// connection in use.
		IdleConnTimeout:    60 * time.Second,
		DisableCompression: true,
		WriteBufferSize:    8 << 10,
		ReadBufferSize:     8 << 10,
	}}
}

// Close closes the idle connections.
func (f *Forwarder) Close() { f.transport.CloseIdleConnections() }

// Request is a request to a service.
type Request struct {
	Route *route.Route
	// Path is escaped; Query is raw.
	Path, Query string
	// Header is sent as it is; the forwarder does not change it. An idempotency
	// key must be set under IdempotencyKey.
	Header http.Header
	Body   []byte
	Key    Key
}

func (r *Request) retryable() bool { return r.Route.Retry }

// Do returns a replica's response, whatever its status; the caller closes it.
// Errors: ctx's error, or a problem: unavailable if nothing was done,
// outcome_unknown if something may have been done, or upstream_timeout.
func (f *Forwarder) Do(ctx context.Context, req *Request) (*Response, error) {
	pool := f.pools[req.Route.Service]
	pool.budget.deposit()
	mode := LeastLoaded
	if req.Route.Key != route.NoKey {
		mode = Hashed
		if f.spread {
			mode = Spread
		}
	}
	end := time.Now().Add(deadline)
	in := pool.pick(mode, req.Key, nil)
	if in == nil {
		return nil, problem.Unavailable(fmt.Errorf("no replica of %s is up", req.Route.Service))
	}
	var tried []*Instance
	for {
		tried = append(tried, in)
		resp, failed := f.attempt(ctx, in, req)
		if failed.err == nil && (!worthAnother(resp.Status) || !req.retryable()) {
			return resp, nil
		}
		if ctx.Err() != nil {
			resp.Close()
			return nil, ctx.Err()
		}
		in = nil
		if len(tried) < maxAttempts && (failed.notSent || req.retryable()) && time.Now().Add(req.Route.Timeout/2).Before(end) {
			if in = pool.pick(mode, req.Key, tried); in == nil && len(tried) == 1 && resp == nil {
				// The only replica may just be restarting.
				pause(ctx, sameAgainPause)
				in = pool.pick(mode, req.Key, nil)
			}
		}
		if in == nil || !pool.budget.withdraw() {
			if resp != nil {
				return resp, nil
			}
			return nil, failed.problem(req)
		}
		retries.WithLabelValues(req.Route.Service).Inc()
		resp.Close()
	}
}

// worthAnother reports whether a retry at another replica may succeed.
func worthAnother(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable
}

// failure is an attempt without a response.
type failure struct {
	err error
	// notSent means that nothing of the request reached the replica.
	notSent bool
	timeout bool
}

func (f failure) problem(req *Request) error {
	switch {
	case f.notSent:
		return problem.Unavailable(f.err)
	case !req.retryable():
		p := problem.New(http.StatusServiceUnavailable, "outcome_unknown",
			"The connection broke before the answer: it may have been done or not. Send it again with the same Idempotency-Key.")
		return p.After(time.Second).Because(f.err)
	case f.timeout:
		return problem.New(http.StatusGatewayTimeout, "upstream_timeout", "The answer took too long.").Because(f.err)
	default:
		return problem.Unavailable(f.err)
	}
}

// attempt sends the request to one replica.
func (f *Forwarder) attempt(ctx context.Context, in *Instance, req *Request) (*Response, failure) {
	done, err := in.breaker.Allow()
	if err != nil {
		return nil, failure{err: fmt.Errorf("%s: %w", in.ID, err), notSent: true}
	}
	// A stream is idle most of the time, so it does not count as a request.
	load := int64(1)
	if req.Route.Stream {
		load = 0
	}
	in.inFlight.Add(load)
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(req.Route.Timeout, func() { cancel(errAttemptTimeout) })
	resp := &Response{stop: func() {
		timer.Stop()
		cancel(nil)
		in.inFlight.Add(-load)
	}}
	connected, err := f.roundTrip(ctx, in, req, resp)
	if err == nil && !req.Route.Stream && resp.length >= 0 && resp.length <= maxBuffered {
		err = resp.buffer()
	}
	if err == nil {
		done(nil)
		switch {
		case req.Route.Stream:
			timer.Stop()
		case resp.stream != nil:
			timer.Reset(bodyTimeout)
		default:
			resp.Close()
		}
		attempts.WithLabelValues(req.Route.Service, "answered").Inc()
		return resp, failure{}
	}
	failed := failure{err: fmt.Errorf("%s: %w", in.ID, err), notSent: !connected, timeout: errors.Is(context.Cause(ctx), errAttemptTimeout)}
	clientLeft := ctx.Err() != nil && !failed.timeout
	resp.Close()
	outcome := "broken"
	switch {
	case clientLeft:
		done(errCallerLeft)
		return nil, failed
	case failed.timeout:
		outcome = "timeout"
	case failed.notSent:
		outcome = "not_sent"
		in.eject()
	default:
		in.eject()
	}
	done(err)
	attempts.WithLabelValues(req.Route.Service, outcome).Inc()
	return nil, failed
}

// roundTrip fills resp. connected reports whether the request may have reached
// the replica.
func (f *Forwarder) roundTrip(ctx context.Context, in *Instance, req *Request, resp *Response) (connected bool, err error) {
	var got atomic.Bool
	if !req.retryable() {
		// The transport retries on another connection only if nothing was sent
		// on the previous one.
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GetConn: func(string) { got.Store(false) },
			GotConn: func(httptrace.GotConnInfo) { got.Store(true) },
		})
	}
	out := (&http.Request{
		Method: req.Route.Method,
		URL:    &url.URL{Scheme: "http", Host: in.Addr, Path: req.Path, RawQuery: req.Query},
		Header: req.Header,
		Host:   in.Addr,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if unescaped, err := url.PathUnescape(req.Path); err == nil && unescaped != req.Path {
		out.URL.Path, out.URL.RawPath = unescaped, req.Path
	}
	if len(req.Body) > 0 {
		out.ContentLength = int64(len(req.Body))
		out.Body = io.NopCloser(bytes.NewReader(req.Body))
		// The transport needs it to retry when an idle connection was closed.
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.Body)), nil }
	}
	answer, err := f.transport.RoundTrip(out) //nolint:bodyclose // resp owns and closes it
	if err != nil {
		var op *net.OpError
		dialing := errors.As(err, &op) && op.Op == "dial"
		return !dialing && (got.Load() || req.retryable()), err
	}
	resp.Status, resp.Header, resp.length, resp.stream = answer.StatusCode, answer.Header, answer.ContentLength, answer.Body
	return true, nil
}

// Response is a replica's response.
type Response struct {
	Status int
	Header http.Header

	length int64
	body   []byte
	stream io.ReadCloser
	stop   func()
	once   sync.Once
}

// buffer reads the whole body.
func (r *Response) buffer() error {
	r.body = make([]byte, r.length)
	_, err := io.ReadFull(r.stream, r.body)
	closeErr := r.stream.Close()
	r.stream = nil
	return errors.Join(err, closeErr)
}

// ReadAll returns the whole body, of at most limit bytes. ok is false if it is
// longer; the body is then unusable.
func (r *Response) ReadAll(limit int64) (body []byte, ok bool, err error) {
	if r.stream == nil {
		return r.body, int64(len(r.body)) <= limit, nil
	}
	if r.length > limit {
		return nil, false, nil
	}
	body, err = io.ReadAll(io.LimitReader(r.stream, limit+1))
	return body, int64(len(body)) <= limit, err
}

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// CopyTo writes the body to w.
func (r *Response) CopyTo(w io.Writer) error {
	if r.stream == nil {
		_, err := w.Write(r.body)
		return err
	}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	_, err := io.CopyBuffer(w, r.stream, *buf)
	return err
}

// Body returns the body of an open-ended response.
func (r *Response) Body() io.Reader { return r.stream }

// Buffered reports whether the whole body is in memory.
func (r *Response) Buffered() bool { return r.stream == nil }

// Close releases the response's resources. It may be called twice, and on nil.
func (r *Response) Close() {
	if r == nil {
		return
	}
	r.once.Do(func() {
		if r.stream != nil {
			r.stream.Close()
		}
		r.stop()
	})
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
