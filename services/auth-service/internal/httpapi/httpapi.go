// Package httpapi serves accounts over HTTP.
package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/api/events"
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
	api.Handle(http.MethodPatch, "/api/v1/auth/me", httpapi.WithSession(h.changeAccount))
	api.Handle(http.MethodDelete, "/api/v1/auth/me", httpapi.WithRecent(h.deleteAccount))
	api.Handle(http.MethodGet, "/api/v1/auth/me/export", httpapi.WithRecent(h.exportAccount))
	api.Handle(http.MethodPut, "/api/v1/auth/me/password", httpapi.WithSession(h.changePassword))
	api.Handle(http.MethodPost, "/api/v1/auth/me/email", httpapi.WithRecent(h.changeEmail))
	api.Handle(http.MethodPost, "/api/v1/auth/email-change/confirm", h.confirmEmailChange)
	api.Handle(http.MethodPost, "/api/v1/auth/verification", httpapi.WithSession(h.resendVerification))
	api.Handle(http.MethodPost, "/api/v1/auth/verification/confirm", h.verifyEmail)
	api.Handle(http.MethodPost, "/api/v1/auth/password-reset", h.requestPasswordReset)
	api.Handle(http.MethodPost, "/api/v1/auth/password-reset/confirm", h.resetPassword)
	api.Handle(http.MethodPost, "/api/v1/auth/me/second-factor", httpapi.WithRecent(h.beginSecondFactor))
	api.Handle(http.MethodDelete, "/api/v1/auth/me/second-factor", httpapi.WithRecent(h.removeSecondFactor))
	api.Handle(http.MethodPost, "/api/v1/auth/me/second-factor/confirm", httpapi.WithSession(h.confirmSecondFactor))
	api.Handle(http.MethodPost, "/api/v1/auth/me/recovery-codes", httpapi.WithRecent(h.renewRecoveryCodes))
	api.Handle(http.MethodPost, "/api/v1/auth/reauthenticate", httpapi.WithSession(h.reauthenticate))
	api.Handle(http.MethodGet, "/api/v1/auth/audit", httpapi.WithRole(h.auditLog, identity.Admin))
	api.Handle(http.MethodGet, "/api/v1/auth/users", httpapi.WithRole(h.users, identity.Admin))
	api.Handle(http.MethodPut, "/api/v1/auth/users/{id}/role", httpapi.WithRole(httpapi.WithRecent(h.setRole), identity.Admin))
	api.Handle(http.MethodGet, events.Accounts+"{id}", httpapi.ForServices(h.account))
	return api
}

type handlers struct{ svc *auth.Service }

func (h *handlers) view(a auth.Account) rest.User {
	return rest.User{
		ID: a.ID, Email: a.Email, Name: a.Name, Role: rest.Role(a.Role), Language: a.Language, CreatedAt: a.CreatedAt,
		EmailVerified: !a.VerifiedAt.IsZero(), SecondFactor: a.TOTPConfirmed, SecondFactorRequired: h.svc.NeedsSecondFactor(a),
	}
}

func (h *handlers) register(w http.ResponseWriter, r *http.Request) error {
	registration, err := httpapi.Decode[rest.Registration](w, r)
	if err != nil {
		return err
	}
	if err := h.svc.Register(r.Context(), caller(r), registration); err != nil {
		return answer(err)
	}
	return mailed(w, registration.Email)
}

// mailed answers that a mail to an e-mail is on its way.
func mailed(w http.ResponseWriter, email string) error {
	return httpapi.WriteJSON(w, http.StatusAccepted, rest.EmailAddress{Email: auth.NormalizeEmail(email)})
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
	answer := rest.Session{ExpiresAt: l.ExpiresAt, User: h.view(l.Account)}
	if credentials.Session == rest.CredentialsSessionToken {
		answer.SessionID = l.SessionID
	} else {
		http.SetCookie(w, cookie(r, l.SessionID, time.Until(l.ExpiresAt)))
		http.SetCookie(w, deviceCookie(r, l.Device))
	}
	return httpapi.WriteJSON(w, http.StatusOK, answer)
}

func (h *handlers) me(w http.ResponseWriter, r *http.Request) error {
	a, err := h.svc.Accounts.ByID(r.Context(), identity.FromContext(r.Context()).UserID)
	if err != nil {
		return answer(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.WriteJSON(w, http.StatusOK, h.view(a))
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
	a, err := h.svc.SetRole(r.Context(), caller(r), id, identity.Role(change.Role))
	if err != nil {
		return answer(err)
	}
	return httpapi.WriteJSON(w, http.StatusOK, h.view(a))
}

// answer maps the domain's errors to problems.
func answer(err error) error {
	var tooMany *auth.TooManyError
	switch {
	case errors.As(err, &tooMany):
		return problem.New(http.StatusTooManyRequests, problem.CodeTooManyAttempts,
			"Too many attempts. Try again later.").After(tooMany.RetryAfter)
	case errors.Is(err, auth.ErrInvalidCredentials):
		return problem.New(http.StatusUnauthorized, problem.CodeInvalidCredentials, "The e-mail, the password or the code is wrong.")
	case errors.Is(err, auth.ErrSecondFactorRequired):
		return problem.New(http.StatusUnauthorized, problem.CodeSecondFactorRequired, "Enter the code of your second factor.")
	case errors.Is(err, auth.ErrWrongPassword):
		return problem.New(http.StatusConflict, problem.CodeWrongPassword, "The password or code is wrong.")
	case errors.Is(err, auth.ErrWrongCode):
		return problem.New(http.StatusConflict, problem.CodeWrongCode, "The code is wrong. Check the time of your device.")
	case errors.Is(err, auth.ErrSecondFactorExists):
		return problem.New(http.StatusConflict, problem.CodeSecondFactorExists, "Your account has a second factor already.")
	case errors.Is(err, auth.ErrSecondFactorMissing):
		return problem.New(http.StatusConflict, problem.CodeSecondFactorMissing, "Begin to set up a second factor first.")
	case errors.Is(err, auth.ErrLinkInvalid):
		return problem.New(http.StatusGone, problem.CodeLinkInvalid, "The link has expired or was used already. Ask for another.")
	case errors.Is(err, auth.ErrShortPassword):
		return problem.New(http.StatusConflict, problem.CodePasswordTooShort, "An admin's password needs at least 12 characters.")
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
	case errors.Is(err, auth.ErrInvalidCredentials), errors.Is(err, auth.ErrSecondFactorRequired):
		return "refused"
	case errors.As(err, &tooMany):
		return "limited"
	default:
		return "error"
	}
}
