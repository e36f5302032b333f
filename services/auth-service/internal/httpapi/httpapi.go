// Package httpapi serves accounts over HTTP.
package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

var logins = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "auth_logins_total", Help: "Log-ins, by outcome: ok, refused, limited, error.",
}, []string{"outcome"})

// New returns the API of svc.
func New(svc *auth.Service, verifier *identity.Verifier) http.Handler {
	h := &handlers{svc: svc}
	api := httpapi.New(verifier)
	api.Handle(http.MethodPost, "/api/v1/auth/register", h.register)
	api.Handle(http.MethodPost, "/api/v1/auth/login", h.login)
	api.Handle(http.MethodPost, "/api/v1/auth/logout", httpapi.WithSession(h.logout))
	api.Handle(http.MethodPost, "/api/v1/auth/logout-all", httpapi.WithSession(h.logoutAll))
	api.Handle(http.MethodGet, "/api/v1/auth/me/sessions", httpapi.WithSession(h.listSessions))
	api.Handle(http.MethodDelete, "/api/v1/auth/me/sessions/{id}", httpapi.WithSession(h.endSession))
	api.Handle(http.MethodGet, "/api/v1/auth/me", httpapi.WithSession(h.me))
	api.Handle(http.MethodGet, "/api/v1/auth/users", httpapi.WithRole(h.users, identity.Admin))
	api.Handle(http.MethodPut, "/api/v1/auth/users/{id}/role", httpapi.WithRole(httpapi.WithRecent(h.setRole), identity.Admin))
	return api
}

type handlers struct{ svc *auth.Service }

func view(a auth.Account) rest.User {
	return rest.User{ID: a.ID, Email: a.Email, Name: a.Name, Role: rest.Role(a.Role), CreatedAt: a.CreatedAt}
}

func (h *handlers) register(w http.ResponseWriter, r *http.Request) error {
	key, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return err
	}
	body, err := httpapi.ReadBody(w, r, httpapi.DefaultBodyLimit)
	if err != nil {
		return err
	}
	registration, err := httpapi.Parse[rest.Registration](body)
	if err != nil {
		return err
	}
	a, replayed, err := h.svc.Register(r.Context(), registration, key, body)
	if err != nil {
		return answer(err)
	}
	if replayed {
		w.Header().Set(httpapi.ReplayedHeader, "true")
	}
	return httpapi.WriteJSON(w, http.StatusCreated, view(a))
}

func (h *handlers) login(w http.ResponseWriter, r *http.Request) error {
	credentials, err := httpapi.Decode[rest.Credentials](w, r)
	if err != nil {
		return err
	}
	l, err := h.svc.Login(r.Context(), credentials, client(r))
	logins.WithLabelValues(outcome(err)).Inc()
	if err != nil {
		return answer(err)
	}
	if err := h.svc.Sessions.End(r.Context(), session.FromCookie(r, https(r))); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	answer := rest.Session{ExpiresAt: l.ExpiresAt, User: view(l.Account)}
	if credentials.Session == rest.CredentialsSessionToken {
		answer.SessionID = l.SessionID
	} else {
		http.SetCookie(w, cookie(r, l.SessionID, time.Until(l.ExpiresAt)))
	}
	return httpapi.WriteJSON(w, http.StatusOK, answer)
}

func (h *handlers) me(w http.ResponseWriter, r *http.Request) error {
	a, err := h.svc.Accounts.ByID(r.Context(), identity.FromContext(r.Context()).UserID)
	if err != nil {
		return answer(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.WriteJSON(w, http.StatusOK, view(a))
}

func (h *handlers) setRole(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This user")
	if err != nil {
		return err
	}
	change, err := httpapi.Decode[rest.RoleChange](w, r)
	if err != nil {
		return err
	}
	a, err := h.svc.SetRole(r.Context(), id, identity.Role(change.Role))
	if err != nil {
		return answer(err)
	}
	return httpapi.WriteJSON(w, http.StatusOK, view(a))
}

// answer maps the domain's errors to problems.
func answer(err error) error {
	var tooMany *auth.TooManyError
	switch {
	case errors.As(err, &tooMany):
		return problem.New(http.StatusTooManyRequests, problem.CodeTooManyAttempts,
			"Too many failed log-ins. Try again later.").After(tooMany.RetryAfter)
	case errors.Is(err, auth.ErrInvalidCredentials):
		return problem.New(http.StatusUnauthorized, problem.CodeInvalidCredentials, "The e-mail or password is wrong.")
	case errors.Is(err, auth.ErrEmailTaken):
		return problem.Forbidden("An account with this e-mail already exists.")
	case errors.Is(err, auth.ErrLastAdmin):
		return problem.New(http.StatusConflict, problem.CodeLastAdmin, "There must be at least one admin.")
	case errors.Is(err, auth.ErrNotFound):
		return problem.NotFound("This user")
	case errors.Is(err, auth.ErrBusy):
		return problem.Unavailable(err)
	default:
		return err
	}
}

func outcome(err error) string {
	var tooMany *auth.TooManyError
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, auth.ErrInvalidCredentials):
		return "refused"
	case errors.As(err, &tooMany):
		return "limited"
	default:
		return "error"
	}
}
