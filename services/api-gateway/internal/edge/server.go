// Package edge implements the public HTTP listener: it authenticates, limits
// and routes requests to the services.
package edge

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

// Config holds the dependencies and settings of a Server.
type Config struct {
	Forwarder *upstream.Forwarder
	Sessions  *redis.Sessions
	// Signers sign the identities for each service.
	Signers map[string]*identity.Signer
	// BySession and ByAddress rate-limit requests.
	BySession, ByAddress *limit.Limiter
	// CORSOrigins are the other sites whose pages may use the API, such as
	// https://shop.example.
	CORSOrigins []string
	// TrustedProxies may name their client in X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// App holds the web app's files. If nil or empty, a plain page is served
	// instead.
	App fs.FS
}

// Server is the gateway's public handler.
type Server struct {
	Config

	router   *mux.Router
	cors     map[string]bool
	csrf     *http.CrossOriginProtection
	app      map[string]*file
	gate     gate
	sending  *quota // body bytes being received
	watching *quota // open streams
	streams  *broadcast.Hub
	views    *views.Store
	flights  singleflight.Group
	tracer   trace.Tracer
}

// entry is a router match: a route to a service, or a page of the gateway
// itself.
type entry struct {
	http.Handler
	template string
	route    *route.Route
	page     httpapi.Handler
}

// New returns a Server. Error: an invalid origin, or an unreadable app.
func New(cfg Config) (*Server, error) {
	s := &Server{
		Config: cfg, router: mux.NewRouter(), cors: map[string]bool{}, csrf: http.NewCrossOriginProtection(),
		sending: newQuota(maxSending), watching: newQuota(maxStreams),
		views: views.NewStore(), tracer: otel.Tracer("api-gateway"),
	}
	s.streams = broadcast.NewHub(s.fetch(streamPath), s.fetch(seatsPath))
	for _, origin := range cfg.CORSOrigins {
		if err := s.csrf.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORS_ORIGINS: %w", err)
		}
		s.cors[origin] = true
	}
	if cfg.App != nil {
		var err error
		if s.app, err = loadApp(cfg.App); err != nil {
			return nil, err
		}
	}
	add := func(method string, e entry) {
		e.Handler = http.NotFoundHandler()
		s.router.Handle(e.template, e).Methods(method)
	}
	for i := range route.Table {
		rt := &route.Table[i]
		add(rt.Method, entry{template: rt.Path, route: rt})
	}
	add(http.MethodGet, entry{template: "/api/v1/openapi.yaml", page: openAPI})
	app := entry{Handler: http.NotFoundHandler(), template: "/", page: s.showApp}
	// The first matcher must fail: a later one would lose the method mismatch of an API path.
	s.router.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool {
		return !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/webhooks/")
	}).Methods(http.MethodGet).Handler(app)
	return s, nil
}

// EndStreams ends the open-ended responses, for the server's shutdown.
func (s *Server) EndStreams() { s.streams.Close() }

// call is the state of one request.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	id     string
	client client
	entry  entry
	// first is the path's first variable.
	first string
	who   identity.Identity
	// sessionID is set if the caller is logged in.
	sessionID string
}

// ServeHTTP answers every request, records its metrics, and turns errors into
// problems.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	rec := &httpapi.Recorder{ResponseWriter: w}
	c := &call{w: rec, r: r, id: requestID(), client: s.client(r), who: identity.Identity{Role: identity.Anonymous}}
	matchErr := s.match(c)
	template := c.entry.template
	if template == "" {
		template = "other"
	}
	if observe.TracingEnabled() {
		// Clients must not continue their own traces in ours.
		ctx, span := s.tracer.Start(r.Context(), r.Method+" "+template, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
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
	if s.answerCORS(c) {
		return
	}
	err := matchErr
	if wait := s.ByAddress.Wait(c.client.limitKey()); wait > 0 {
		err = tooMany("address", wait)
	}
	if err == nil {
		err = s.enter(c)
	}
	if err != nil {
		s.fail(c, err)
	}
}

// enter checks the caller and answers the request.
func (s *Server) enter(c *call) error {
	if c.entry.page != nil {
		return c.entry.page(c.w, c.r)
	}
	stream := c.entry.route.Stream
	if !stream && s.gate.full() {
		return tooMuch()
	}
	if err := s.authorize(c); err != nil {
		return err
	}
	if stream {
		return s.stream(c)
	}
	// Read the body before entering the gate: a slow body must not occupy a
	// slot.
	body, err := s.readBody(c)
	if err != nil {
		return err
	}
	leave, err := s.gate.enter()
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
		return s.showView(c, req)
	}
	req.Header = s.outgoing(c, c.who)
	resp, err := s.Forwarder.Do(c.r.Context(), req)
	if c.entry.route.SeesSession {
		s.Sessions.Forget(session.Hash(c.sessionID)) // the session may have ended
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	pass(c, resp)
	return nil
}

// pass writes a service's response.
func pass(c *call, resp *upstream.Response) {
	copyHeader(c.w.Header(), resp.Header)
	c.w.WriteHeader(resp.Status)
	if err := resp.CopyTo(c.w); err != nil && !resp.Buffered() {
		// The status is already sent: only cutting the connection tells the
		// client that the body is incomplete.
		slog.WarnContext(c.r.Context(), "response interrupted", "error", err, "route", c.entry.template, "request_id", c.id)
		panic(http.ErrAbortHandler)
	}
}

// match finds the entry of a request. Error: the problem not_found or
// method_not_allowed.
func (s *Server) match(c *call) error {
	if p := c.r.URL.Path; strings.Contains(p, "//") || strings.Contains(p, "/.") {
		return problem.NotFound("This address")
	}
	r := c.r
	if r.Method == http.MethodHead {
		// HEAD is handled like GET; the server omits the body.
		r = &http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}
	}
	var m mux.RouteMatch
	if s.router.Match(r, &m) {
		c.entry = m.Handler.(entry) //nolint:forcetypeassert // the router has nothing else
		c.first = m.Vars["id"]
		return nil
	}
	if !errors.Is(m.MatchErr, mux.ErrMethodMismatch) {
		return problem.NotFound("This address")
	}
	c.w.Header().Set("Allow", strings.Join(s.methods(c.r), ", "))
	return problem.New(http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take this method.")
}

// methods returns the methods that the request's path accepts.
func (s *Server) methods(r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if s.router.Match(probe, &mux.RouteMatch{}) {
			allowed = append(allowed, method)
			if method == http.MethodGet {
				allowed = append(allowed, http.MethodHead)
			}
		}
	}
	return allowed
}

func (s *Server) fail(c *call, err error) {
	if c.r.Context().Err() != nil {
		// The client has disconnected. 499 is nginx's status for this, for the
		// metrics.
		c.w.WriteHeader(499)
		return
	}
	p := problem.From(err)
	// Rejected requests are counted, not logged: logging would cost more than
	// rejecting.
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

// method returns the metric label of a request's method: clients may send any
// method.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return r.Method
	default:
		return "other"
	}
}
