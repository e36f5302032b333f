package edge

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

var limitRefused = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "gateway_rate_limited_total",
	Help: "Requests refused by a limit, by what is limited: session, address or streams of an address.",
}, []string{"by"})

func init() {
	for _, by := range []string{"session", "address", "streams"} {
		limitRefused.WithLabelValues(by)
	}
}

// rateLimited counts a refused request and returns the problem.
func rateLimited(by string, wait time.Duration) error {
	limitRefused.WithLabelValues(by).Inc()
	return problem.New(http.StatusTooManyRequests, problem.CodeRateLimited, "Too many requests. Try again in a moment.").After(wait)
}

// authorize identifies the caller and checks its access to the route.
func (s *Server) authorize(c *call) error {
	rt := c.endpoint.route
	if err := s.checkOrigin(c.r); err != nil {
		return err
	}
	if rt.Access == route.Public {
		return nil
	}
	id := session.FromRequest(c.r, c.client.https)
	if id != "" {
		if err := s.identify(c, id); err != nil {
			return err
		}
	}
	if rt.Access == route.Session && c.caller.IsAnonymous() {
		if id != "" {
			return problem.New(http.StatusUnauthorized, problem.CodeSessionInvalid, "Your session has ended. Log in again.")
		}
		return problem.New(http.StatusUnauthorized, problem.CodeSessionRequired, "Log in first.")
	}
	if len(rt.Roles) > 0 && !slices.Contains(rt.Roles, c.caller.Role) {
		return problem.Forbidden("Your account does not have permission to do this.")
	}
	return nil
}

// checkOrigin refuses unsafe requests from pages of other sites: a browser sends cookies with them, and applies
// those in the response. It can't add an Authorization header without permission.
func (s *Server) checkOrigin(r *http.Request) error {
	if r.Header.Get("Authorization") != "" {
		return nil
	}
	if err := s.csrf.Check(r); err != nil {
		return problem.Forbidden("Requests from other sites are not allowed.").Because(err)
	}
	return nil
}

// identify sets the caller. A missing session leaves the caller anonymous; so does a failed look-up on a
// route that needs no session.
func (s *Server) identify(c *call, id string) error {
	sess, err := s.Sessions.Get(c.r.Context(), id)
	switch {
	case errors.Is(err, session.ErrNotFound):
		return nil
	case err != nil && c.endpoint.route.Access == route.Optional:
		return nil
	case err != nil:
		return problem.Unavailable(err)
	}
	user, err := uuid.Parse(sess.UserID)
	if err != nil {
		return fmt.Errorf("parse session's user: %w", err)
	}
	if wait := s.BySession.Wait(id); wait > 0 {
		return rateLimited("session", wait)
	}
	c.sessionID = id
	c.caller = identity.Identity{
		UserID: user, Role: identity.Role(sess.Role), Email: sess.Email, Verified: sess.Verified,
		Recent: c.start.Sub(sess.AuthenticatedAt) < s.SessionRecent,
	}
	return nil
}
