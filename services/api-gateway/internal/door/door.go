// Package door is the public HTTP listener: who may come in, with what, and to
// which service it goes.
package door

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/singleflight"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/broadcast"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/limit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/redis"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/views"
)

// Config is what the door needs.
type Config struct {
	Forwarder *upstream.Forwarder
	Sessions  *redis.Sessions
	// Signers sign the identities for each service.
	Signers map[string]*identity.Signer
	// BySession and ByAddress limit requests.
	BySession, ByAddress *limit.Limiter
	// CORSOrigins are the other sites whose pages may use the API, such as
	// https://shop.example.
	CORSOrigins []string
	// TrustedProxies may say who their client is by X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// App has the web app's files; nil or empty: there is a plain page instead.
	App fs.FS
}

// Door is the gateway's public handler.
type Door struct {
	Config

	router   *mux.Router
	cors     map[string]bool
	csrf     *http.CrossOriginProtection
	app      map[string]*file
	gate     gate
	sending  *quota // bytes of bodies
	watching *quota // streams
	streams  *broadcast.Hub
	views    *views.Store
	flights  singleflight.Group
	tracer   trace.Tracer
}

// entry is what the router finds: a route to a service, or a page of our own.
type entry struct {
	http.Handler
	template string
	route    *route.Route
	page     httpapi.Handler
}

// New returns the door. Error: an origin that is none, or an app that can't be read.
func New(cfg Config) (*Door, error) {
	d := &Door{
		Config: cfg, router: mux.NewRouter(), cors: map[string]bool{}, csrf: http.NewCrossOriginProtection(),
		sending: newQuota(maxSending), watching: newQuota(maxStreams),
		views: views.NewStore(), tracer: otel.Tracer("api-gateway"),
	}
	d.streams = broadcast.NewHub(d.fetch(streamPath), d.fetch(seatsPath))
	for _, origin := range cfg.CORSOrigins {
		if err := d.csrf.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORS_ORIGINS: %w", err)
		}
		d.cors[origin] = true
	}
	if cfg.App != nil {
		var err error
		if d.app, err = loadApp(cfg.App); err != nil {
			return nil, err
		}
	}
	add := func(method string, e entry) {
		e.Handler = http.NotFoundHandler()
		d.router.Handle(e.template, e).Methods(method)
	}
	for i := range route.Table {
		rt := &route.Table[i]
		add(rt.Method, entry{template: rt.Path, route: rt})
	}
	add(http.MethodGet, entry{template: "/api/v1/openapi.yaml", page: openAPI})
	app := entry{Handler: http.NotFoundHandler(), template: "/", page: d.showApp}
	// The first matcher must be the one that fails: a later one would forget that an address of the API takes other methods.
	d.router.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool {
		return !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/webhooks/")
	}).Methods(http.MethodGet).Handler(app)
	return d, nil
}

// EndStreams ends the answers that have no end, for the server's shutdown.
func (d *Door) EndStreams() { d.streams.Close() }

// call is one request on its way through the door.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	id     string
	client client
	entry  entry
	// first is the path's first variable.
	first string
	who   identity.Identity
	// sessionID is set when who is logged in.
	sessionID string
}

// ServeHTTP answers every request, measures it, and turns errors into problems.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	rec := &httpapi.Recorder{ResponseWriter: w}
	c := &call{w: rec, r: r, id: requestID(), client: d.client(r), who: identity.Identity{Role: identity.Anonymous}}
	matchErr := d.match(c)
	template := c.entry.template
	if template == "" {
		template = "other"
	}
	if observe.TracingEnabled() {
		// Strangers don't get to continue their traces in ours.
		ctx, span := d.tracer.Start(r.Context(), r.Method+" "+template, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.route", template), attribute.String("frontrow.request_id", c.id)))
		defer span.End()
		c.r = r.WithContext(ctx)
	}
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			slog.ErrorContext(c.r.Context(), "panic", "value", v, "stack", string(debug.Stack()), "request_id", c.id)
			if rec.Status == 0 {
				problem.From(errors.New("panic")).Write(rec, c.id)
			}
		}
		status := rec.Status
		if status == 0 {
			status = http.StatusOK
		}
		httpapi.ObserveRequest(c.r.Context(), template, method(r), status, time.Since(start))
	}()
	setSecurityHeaders(rec.Header(), c)
	if d.answerCORS(c) {
		return
	}
	err := matchErr
	if wait := d.ByAddress.Wait(c.client.limitKey()); wait > 0 {
		err = tooMany("address", wait)
	}
	if err == nil {
		err = d.enter(c)
	}
	if err != nil {
		d.fail(c, err)
	}
}

// enter checks the caller and answers.
func (d *Door) enter(c *call) error {
	if c.entry.page != nil {
		return c.entry.page(c.w, c.r)
	}
	stream := c.entry.route.Stream
	if !stream && d.gate.full() {
		return tooMuch()
	}
	if err := d.authorize(c); err != nil {
		return err
	}
	if stream {
		return d.stream(c)
	}
	// Before the gate: a body that comes slowly must not take a place from others.
	body, err := d.readBody(c)
	if err != nil {
		return err
	}
	leave, err := d.gate.enter()
	if err != nil {
		return err
	}
	defer leave()
	req := &upstream.Request{Route: c.entry.route, Path: c.r.URL.EscapedPath(), Query: c.r.URL.RawQuery, Body: body}
	switch c.entry.route.Key {
	case route.ByBody:
		req.Key = upstream.EventKey(body)
	case route.ByEvent:
		req.Key = upstream.IDKey(c.first)
	case route.NoKey:
	}
	if c.entry.route.View {
		return d.showView(c, req)
	}
	req.Header = d.outgoing(c, c.who)
	resp, err := d.Forwarder.Do(c.r.Context(), req)
	if c.entry.route.SeesSession {
		d.Sessions.Forget(session.Hash(c.sessionID)) // it may have ended
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	pass(c, resp)
	return nil
}

// pass writes a service's answer.
func pass(c *call, resp *upstream.Response) {
	copyHeader(c.w.Header(), resp.Header)
	c.w.WriteHeader(resp.Status)
	if err := resp.CopyTo(c.w); err != nil && !resp.Buffered() {
		// The status is out; cutting the connection is how the client learns that
		// the body is not whole.
		slog.WarnContext(c.r.Context(), "answer broke off", "error", err, "route", c.entry.template, "request_id", c.id)
		panic(http.ErrAbortHandler)
	}
}

// match finds the entry of a request, or a problem not_found or method_not_allowed.
func (d *Door) match(c *call) error {
	if p := c.r.URL.Path; strings.Contains(p, "//") || strings.Contains(p, "/.") {
		return problem.NotFound("This address")
	}
	r := c.r
	if r.Method == http.MethodHead {
		// Answered like GET; the server leaves the body out.
		r = &http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}
	}
	var m mux.RouteMatch
	if d.router.Match(r, &m) {
		c.entry = m.Handler.(entry) //nolint:forcetypeassert // the router has nothing else
		c.first = m.Vars["id"]
		return nil
	}
	if !errors.Is(m.MatchErr, mux.ErrMethodMismatch) {
		return problem.NotFound("This address")
	}
	c.w.Header().Set("Allow", strings.Join(d.methods(c.r), ", "))
	return problem.New(http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take this method.")
}

// methods returns those that the request's address takes.
func (d *Door) methods(r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if d.router.Match(probe, &mux.RouteMatch{}) {
			allowed = append(allowed, method)
			if method == http.MethodGet {
				allowed = append(allowed, http.MethodHead)
			}
		}
	}
	return allowed
}

func (d *Door) fail(c *call, err error) {
	if c.r.Context().Err() != nil {
		// Nobody is there to be told; nginx's status for it, for the metrics.
		c.w.WriteHeader(499)
		return
	}
	p := problem.From(err)
	// What the gate turns away is counted; a line for each would be more work than the answer.
	if p.Status >= http.StatusInternalServerError && p.Code != overloaded {
		slog.WarnContext(c.r.Context(), "request failed", "route", c.entry.template, "method", c.r.Method, "status", p.Status,
			"code", p.Code, "error", err, "request_id", c.id)
	}
	if p.Status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", "Bearer")
	}
	p.Write(c.w, c.id)
}

func requestID() string {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}

// method is the metric label of a request's method: strangers may send anything.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return r.Method
	default:
		return "other"
	}
}
