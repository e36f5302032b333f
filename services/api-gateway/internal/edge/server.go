// Package edge implements the public HTTP handler: it authenticates, limits and routes requests to the
// services.
package edge

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/gorilla/mux"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/broadcast"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/limit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/redis"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/views"
)

// Config holds the dependencies and settings of a Server.
type Config struct {
	Forwarder *upstream.Forwarder
	Sessions  *redis.Sessions
	// SessionRecent is how long a password that was entered counts as recent.
	SessionRecent time.Duration
	// Signers sign the identities for each service.
	Signers map[string]*identity.Signer
	// Admissions verifies admissions to events with a queue.
	Admissions *identity.Verifier
	// BySession and ByAddress rate-limit requests.
	BySession, ByAddress *limit.Limiter
	// CORSOrigins are the other sites whose pages may use the API, such as https://shop.example.
	CORSOrigins []string
	// TrustedProxies may name their client in X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// TurnstileScript is the address of the script of the widget that people solve to enter a queue, if any. The
	// web app's pages may load scripts and frames from its origin.
	TurnstileScript url.URL
	// App holds the web app's files. If nil or empty, a plain page is served instead.
	App fs.FS
}

// Server is the gateway's public HTTP handler.
type Server struct {
	Config

	handle      handler
	router      *mux.Router
	corsOrigins map[string]bool
	csrf        *http.CrossOriginProtection
	app         map[string]*file
	appPolicy   string
	concurrency concurrencyLimit
	bodyBytes   *quota // body bytes being received
	openStreams *quota
	streams     map[string]*broadcast.Hub // by the route's path
	admissions  *admissions
	views       *views.Fetcher
	tracing     bool
	tracer      trace.Tracer
}

// New returns a Server. Error: an invalid origin, or an unreadable app.
func New(cfg Config) (*Server, error) {
	s := &Server{
		Config: cfg, corsOrigins: map[string]bool{}, csrf: http.NewCrossOriginProtection(),
		bodyBytes: newQuota(maxBodyBytes), openStreams: newQuota(maxStreams),
		views:   views.NewFetcher(cfg.Forwarder),
		tracing: observe.TracingEnabled(), tracer: otel.Tracer("api-gateway"),
	}
	s.streams = map[string]*broadcast.Hub{
		seatStreamPath:  broadcast.NewHub(broadcast.Seats, s.fetch(seatStreamPath), s.fetch(seatsPath)),
		queueStreamPath: broadcast.NewHub(broadcast.Queue, s.fetch(queueStreamPath), s.fetch(queuePath)),
	}
	s.admissions = newAdmissions(cfg.Admissions, s.queueRequired)
	for _, origin := range cfg.CORSOrigins {
		if err := s.csrf.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORS_ORIGINS: %w", err)
		}
		s.corsOrigins[origin] = true
	}
	var err error
	if s.appPolicy, err = policyOf(cfg.TurnstileScript); err != nil {
		return nil, err
	}
	if cfg.App != nil {
		if s.app, err = loadApp(cfg.App); err != nil {
			return nil, err
		}
	}
	s.router = s.newRouter()
	s.handle = chain(s.dispatch,
		s.trace, measure, recoverPanics, respondToErrors, setSecurityHeaders, s.cors, s.limitAddress)
	return s, nil
}

// EndStreams ends the open-ended responses, for the server's shutdown.
func (s *Server) EndStreams() {
	for _, hub := range s.streams {
		hub.Close()
	}
}

// ServeHTTP responds to every request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := newCall(w, r)
	c.client = s.clientOf(r)
	c.endpoint, c.pathID = s.match(r)
	_ = s.handle(c) // respondToErrors leaves no error
}
