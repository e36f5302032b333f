// Package httpapi implements the HTTP conventions all services share: handlers
// that return errors, strict JSON, identity, request ids, metrics and traces.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// RequestIDHeader carries the request id between gateway, services and logs.
const RequestIDHeader = "X-Request-Id"

// DefaultBodyLimit is the body limit of a route, in bytes.
const DefaultBodyLimit = 256 << 10

var requestDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
	Name: "http_request_duration_seconds", Help: "Duration of HTTP requests, by route template.",
	Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
}, []string{"route", "method", "code"})

// Handler answers a request or returns an error. A *problem.Error is sent as it
// is, any other error as "internal" (500).
type Handler func(w http.ResponseWriter, r *http.Request) error

// API is a service's routes.
type API struct {
	router   *mux.Router
	verifier *identity.Verifier
	log      *slog.Logger
	open     map[string]bool
	// handler is serve, wrapped in a span when tracing is enabled.
	handler http.Handler
}

// New returns an API without routes. Requests without an identity that verifier
// accepts are refused with 401.
func New(verifier *identity.Verifier) *API {
	a := &API{router: mux.NewRouter(), verifier: verifier, log: slog.Default(), open: map[string]bool{}}
	a.handler = http.HandlerFunc(a.serve)
	if observe.TracingEnabled() {
		a.handler = otelhttp.NewHandler(a.handler, "request", otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			return r.Method + " " + a.template(r)
		}))
	}
	a.router.NotFoundHandler = a.plain(func(http.ResponseWriter, *http.Request) error {
		return problem.NotFound("This URL")
	})
	a.router.MethodNotAllowedHandler = a.plain(func(http.ResponseWriter, *http.Request) error {
		return problem.New(http.StatusMethodNotAllowed, problem.CodeMethodNotAllowed, "This endpoint does not support this method.")
	})
	return a
}

// Handle adds a route; path is a gorilla/mux template.
func (a *API) Handle(method, path string, h Handler) {
	a.router.Handle(path, a.plain(h)).Methods(method)
}

// HandleWithoutIdentity adds a route that authenticates its callers itself.
func (a *API) HandleWithoutIdentity(method, path string, h Handler) {
	a.open[path] = true
	a.Handle(method, path, h)
}

// plain turns a Handler into an http.Handler.
func (a *API) plain(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}

func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.From(err)
	rid := identity.FromContext(r.Context()).RequestID
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		a.log.DebugContext(r.Context(), "client disconnected", "path", r.URL.Path, "request_id", rid)
	} else if p.Status >= http.StatusInternalServerError {
		a.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "status", p.Status,
			"code", p.Code, "error", err, "request_id", rid)
	}
	p.Write(w, rid)
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// serve wraps the router from outside, because mux runs no middleware on 404
// and 405. It matches the route once.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	var match mux.RouteMatch
	a.router.Match(r, &match) // the router has handlers for 404 and 405
	route := templateOf(&match)
	rec := &Recorder{ResponseWriter: w}
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			a.log.ErrorContext(r.Context(), "panic", "value", v, "stack", string(debug.Stack()), "path", r.URL.Path)
			if rec.Status == 0 {
				problem.New(http.StatusInternalServerError, problem.CodeInternal, "Something went wrong on our side. Try again later.").Write(rec, r.Header.Get(RequestIDHeader))
			}
		}
		observe.Observe(r.Context(), requestDuration.WithLabelValues(route, r.Method, strconv.Itoa(rec.status())),
			time.Since(start).Seconds())
	}()
	if !a.open[route] {
		id, err := a.identify(r)
		if err != nil {
			err.Write(rec, r.Header.Get(RequestIDHeader))
			return
		}
		id.RequestID = r.Header.Get(RequestIDHeader)
		r = r.WithContext(identity.NewContext(r.Context(), id))
	}
	match.Handler.ServeHTTP(rec, mux.SetURLVars(r, match.Vars))
}

func (a *API) identify(r *http.Request) (identity.Identity, *problem.Error) {
	token := r.Header.Get(identity.Header)
	if token == "" {
		return identity.Identity{}, problem.New(http.StatusUnauthorized, problem.CodeIdentityRequired,
			"This service only accepts requests from the gateway.")
	}
	id, err := a.verifier.Verify(token)
	if err != nil {
		a.log.WarnContext(r.Context(), "identity refused", "error", err)
		return id, problem.New(http.StatusUnauthorized, problem.CodeIdentityInvalid, "The identity token is not valid.").Because(err)
	}
	return id, nil
}

// template returns the template of the route that r matches, or "other".
func (a *API) template(r *http.Request) string {
	var match mux.RouteMatch
	a.router.Match(r, &match)
	return templateOf(&match)
}

func templateOf(match *mux.RouteMatch) string {
	if match.Route != nil {
		if t, err := match.Route.GetPathTemplate(); err == nil {
			return t
		}
	}
	return "other"
}

// Recorder records the response status of a handler.
type Recorder struct {
	http.ResponseWriter
	// Status is 0 until the header is written.
	Status int
}

// WriteHeader records and writes the status.
func (r *Recorder) WriteHeader(status int) {
	if r.Status == 0 {
		r.Status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *Recorder) Write(b []byte) (int, error) {
	if r.Status == 0 {
		r.Status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController access to the underlying writer.
func (r *Recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *Recorder) status() int {
	if r.Status == 0 {
		return http.StatusOK
	}
	return r.Status
}

// WithSession refuses anonymous callers with 401.
func WithSession(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if identity.FromContext(r.Context()).IsAnonymous() {
			return problem.New(http.StatusUnauthorized, problem.CodeSessionRequired, "Log in first.")
		}
		return h(w, r)
	}
}

// WithRole refuses callers that have none of the roles with 403, and anonymous
// callers with 401.
func WithRole(h Handler, roles ...identity.Role) Handler {
	return WithSession(func(w http.ResponseWriter, r *http.Request) error {
		for _, role := range roles {
			if identity.FromContext(r.Context()).Role == role {
				return h(w, r)
			}
		}
		return problem.Forbidden("Your account does not have permission to do this.")
	})
}

// WithVerified refuses callers whose e-mail is not verified with 403, and
// anonymous callers with 401.
func WithVerified(h Handler) Handler {
	return WithSession(func(w http.ResponseWriter, r *http.Request) error {
		if !identity.FromContext(r.Context()).Verified {
			return problem.New(http.StatusForbidden, problem.CodeEmailNotVerified,
				"Verify your e-mail first: open the link that we mailed to you.")
		}
		return h(w, r)
	})
}

// WithRecent refuses callers that have not entered their password recently with
// 403, and anonymous callers with 401.
func WithRecent(h Handler) Handler {
	return WithSession(func(w http.ResponseWriter, r *http.Request) error {
		if !identity.FromContext(r.Context()).Recent {
			return ErrNotRecent
		}
		return h(w, r)
	})
}

// ErrNotRecent is the problem reauthentication_required (403).
var ErrNotRecent = problem.New(http.StatusForbidden, problem.CodeReauthenticationRequired,
	"Enter your password again, then repeat the request.")

// ForServices refuses callers that are not services with 403.
func ForServices(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if identity.FromContext(r.Context()).Role != identity.Service {
			return problem.Forbidden("Only services can call this endpoint.")
		}
		return h(w, r)
	}
}

// NewServer returns a server with timeouts against slow clients. Streams must
// clear their write deadline with http.ResponseController.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 120 * time.Second, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}
