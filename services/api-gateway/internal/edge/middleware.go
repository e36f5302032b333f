package edge

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// handler responds to a call, or returns the error to respond with.
type handler func(*call) error

// middleware adds a step around a handler. Middlewares are applied once, in New, so that a request pays
// for a function call a step.
type middleware func(next handler) handler

// chain returns h within the steps, of which the first is the outermost.
func chain(h handler, steps ...middleware) handler {
	for _, step := range slices.Backward(steps) {
		h = step(h)
	}
	return h
}

// trace starts a trace, unless tracing is disabled.
func (s *Server) trace(next handler) handler {
	if !s.tracing {
		return next
	}
	return func(c *call) error {
		// Clients must not continue their own traces in ours.
		ctx, span := s.tracer.Start(c.r.Context(), c.r.Method+" "+c.endpoint.template,
			trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
				attribute.String("http.route", c.endpoint.template),
				attribute.String("frontrow.request_id", c.requestID)))
		defer span.End()
		c.r = c.r.WithContext(ctx)
		return next(c)
	}
}

// measure records the duration of the request, unless its response was aborted.
func measure(next handler) handler {
	return func(c *call) error {
		err := next(c)
		httpapi.ObserveRequest(c.r.Context(), c.endpoint.template, c.methodLabel(), c.status(), time.Since(c.start))
		return err
	}
}

// recoverPanics logs a panic and responds with 500.
func recoverPanics(next handler) handler {
	return func(c *call) error {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			slog.ErrorContext(c.r.Context(), "panic", "value", v, "stack", string(debug.Stack()),
				"request_id", c.requestID)
			if c.w.Status == 0 {
				problem.From(errors.New("panic")).Write(c.w, c.requestID)
			}
		}()
		return next(c)
	}
}

// respondToErrors responds with the problem of an error. The handler it returns has no errors.
func respondToErrors(next handler) handler {
	return func(c *call) error {
		if err := next(c); err != nil {
			c.fail(err)
		}
		return nil
	}
}

// limitAddress refuses clients whose address exceeds its rate.
func (s *Server) limitAddress(next handler) handler {
	return func(c *call) error {
		if wait := s.ByAddress.Wait(c.client.limitKey()); wait > 0 {
			return rateLimited("address", wait)
		}
		return next(c)
	}
}

// setSecurityHeaders sets the headers that every response has.
func setSecurityHeaders(next handler) handler {
	return func(c *call) error {
		h := c.w.Header()
		h[httpapi.RequestIDHeader] = []string{c.requestID}
		h["X-Content-Type-Options"] = []string{"nosniff"}
		h["X-Frame-Options"] = []string{"DENY"}
		h["Referrer-Policy"] = []string{"no-referrer"}
		h["Content-Security-Policy"] = []string{"default-src 'none'; frame-ancestors 'none'"}
		if c.client.https {
			h["Strict-Transport-Security"] = []string{"max-age=31536000"}
		}
		return next(c)
	}
}
