package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

func (h *handlers) listSessions(w http.ResponseWriter, r *http.Request) error {
	open, err := h.openSessions(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.WriteJSON(w, http.StatusOK, rest.SessionList{Items: open})
}

// openSessions returns the caller's sessions.
func (h *handlers) openSessions(r *http.Request) ([]rest.OpenSession, error) {
	c := caller(r)
	stored, err := h.svc.Sessions.List(r.Context(), c.UserID)
	open := make([]rest.OpenSession, len(stored))
	for i, s := range stored {
		open[i] = rest.OpenSession{
			ID: s.Hash, Current: s.Hash == session.Hash(c.Session), CreatedAt: s.CreatedAt, LastUsedAt: s.LastUsedAt,
			UserAgent: s.Client.UserAgent, Address: s.Client.Address,
		}
	}
	return open, err
}

func (h *handlers) endSession(w http.ResponseWriter, r *http.Request) error {
	err := h.svc.Sessions.EndHash(r.Context(), identity.FromContext(r.Context()).UserID, httpapi.PathVar(r, "id"))
	if errors.Is(err, auth.ErrSessionNotFound) {
		return problem.NotFound("This session")
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handlers) logout(w http.ResponseWriter, r *http.Request) error {
	if err := h.svc.Logout(r.Context(), caller(r)); err != nil {
		return err
	}
	return loggedOut(w, r)
}

func (h *handlers) logoutAll(w http.ResponseWriter, r *http.Request) error {
	if err := h.svc.LogoutAll(r.Context(), caller(r)); err != nil {
		return err
	}
	return loggedOut(w, r)
}

func loggedOut(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, cookie(r, "", -time.Second))
	w.WriteHeader(http.StatusNoContent)
	return nil
}
