package edge

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

// endpoint is what responds to the requests of a path: either a route to a service, or a page of the gateway itself.
type endpoint struct {
	// template is the path with its variables, such as /api/v1/events/{id}. It is a metric label.
	template string
	route    *route.Route
	page     httpapi.Handler
}

// ServeHTTP makes an endpoint a handler for mux. It is never called: the server only matches.
func (*endpoint) ServeHTTP(http.ResponseWriter, *http.Request) {
	panic("an endpoint was served by the router")
}

// unmatched is the template of requests without an endpoint: the metrics must not have a label for each
// path that clients make up.
const unmatched = "other"

var notFound = &endpoint{template: unmatched, page: func(http.ResponseWriter, *http.Request) error {
	return problem.NotFound("This address")
}}

func (s *Server) newRouter() *mux.Router {
	router := mux.NewRouter()
	for i := range route.Table {
		rt := &route.Table[i]
		router.Handle(rt.Path, &endpoint{template: rt.Path, route: rt}).Methods(rt.Method)
	}
	for path, page := range map[string]func(http.ResponseWriter, *http.Request) error{
		"/api/v1/openapi.yaml": openAPI, "/api/docs": s.showAPIDocs,
	} {
		router.Handle(path, &endpoint{template: path, page: page}).Methods(http.MethodGet)
	}
	// The first matcher must fail: a later one would lose the method mismatch of an API path.
	router.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool {
		return !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/webhooks/")
	}).Methods(http.MethodGet).Handler(&endpoint{template: "/", page: s.showApp})
	return router
}

// match returns the endpoint of a request and the path's variable id. The endpoint of an unknown path or
// method is a page that returns the problem.
func (s *Server) match(r *http.Request) (to *endpoint, id string) {
	if p := r.URL.Path; strings.Contains(p, "//") || strings.Contains(p, "/.") {
		return notFound, ""
	}
	if r.Method == http.MethodHead {
		// HEAD is handled like GET; the server omits the body.
		r = &http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}
	}
	var m mux.RouteMatch
	switch {
	case s.router.Match(r, &m):
		return m.Handler.(*endpoint), m.Vars["id"] //nolint:forcetypeassert // the router has no other handlers
	case errors.Is(m.MatchErr, mux.ErrMethodMismatch):
		return &endpoint{template: unmatched, page: s.methodNotAllowed}, ""
	default:
		return notFound, ""
	}
}

func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Allow", strings.Join(s.allowedMethods(r), ", "))
	return problem.New(http.StatusMethodNotAllowed, problem.CodeMethodNotAllowed, "This address does not support this method.")
}

// allowedMethods returns the methods that the request's path accepts.
func (s *Server) allowedMethods(r *http.Request) []string {
	var allowed []string
	for _, method := range []string{
		http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
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
