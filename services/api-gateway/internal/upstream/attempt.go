package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// bodyTimeout is how long the rest of a response that is not buffered may take.
const bodyTimeout = 30 * time.Second

// attempt sends the request to one replica. It reports the outcome to the replica's breaker and to
// the metrics, and ejects a replica whose connection failed.
func (f *Forwarder) attempt(ctx context.Context, in *Instance, req *Request) result {
	report, err := in.breaker.Allow()
	if err != nil {
		return result{outcome: notSent, err: fmt.Errorf("%s: %w", in.ID, err)}
	}
	// A stream is idle most of the time, so it does not count as load.
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
	outcome, err := f.roundTrip(ctx, in, req, resp)
	if outcome == answered && !req.Route.Stream && resp.length >= 0 && resp.length <= maxBuffered {
		if err = resp.buffer(); err != nil {
			outcome = unknown
		}
	}
	if outcome == answered {
		switch {
		case req.Route.Stream:
			timer.Stop()
		case resp.Buffered():
			resp.Close()
		default:
			timer.Reset(bodyTimeout)
		}
		report(nil)
		attempts.WithLabelValues(req.Route.Service, "answered").Inc()
		return result{outcome: answered, response: resp}
	}

	timedOut := errors.Is(context.Cause(ctx), errAttemptTimeout)
	callerLeft := ctx.Err() != nil && !timedOut
	resp.Close()
	if callerLeft {
		report(errCallerLeft)
		return result{outcome: outcome, err: err}
	}
	report(err)
	label := "broken"
	switch {
	case timedOut:
		label, err = "timeout", errAttemptTimeout
	case outcome == notSent:
		label = "not_sent"
	}
	if !timedOut {
		in.eject()
	}
	attempts.WithLabelValues(req.Route.Service, label).Inc()
	return result{outcome: outcome, err: fmt.Errorf("%s: %w", in.ID, err)}
}

// roundTrip sends the request and fills resp with the start of the response.
func (f *Forwarder) roundTrip(ctx context.Context, in *Instance, req *Request, resp *Response) (outcome, error) {
	// Whether the request was sent matters only if its route may not be retried.
	var connected atomic.Bool
	connected.Store(req.Route.Retry)
	if !req.Route.Retry {
		// The transport retries on another connection only if nothing was sent on the previous one.
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GetConn: func(string) { connected.Store(false) },
			GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
		})
	}
	from, err := f.transport.RoundTrip(req.httpRequest(ctx, in.Addr)) //nolint:bodyclose // resp owns and closes it
	if err == nil {
		resp.Status, resp.Header, resp.length, resp.stream = from.StatusCode, from.Header, from.ContentLength, from.Body
		return answered, nil
	}
	var op *net.OpError
	if dialing := errors.As(err, &op) && op.Op == "dial"; dialing || !connected.Load() {
		return notSent, err
	}
	return unknown, err
}
