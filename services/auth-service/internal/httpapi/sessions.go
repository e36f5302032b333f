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
	open, err := h.svc.Sessions.List(r.Context(), identity.FromContext(r.Context()).UserID)
	if err != nil {
		return err
	}
	current := session.Hash(session.FromRequest(r, https(r)))
	list := rest.SessionList{Items: []rest.OpenSession{}}
	for _, s := range open {
		list.Items = append(list.Items, rest.OpenSession{
			ID: s.Hash, Current: s.Hash == current, CreatedAt: s.CreatedAt, LastUsedAt: s.LastUsedAt,
			UserAgent: s.Client.UserAgent, Address: s.Client.Address,
		})
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.WriteJSON(w, http.StatusOK, list)
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
	if err := h.svc.Sessions.End(r.Context(), session.FromRequest(r, https(r))); err != nil {
		return err
	}
	return loggedOut(w, r)
}

func (h *handlers) logoutAll(w http.ResponseWriter, r *http.Request) error {
	if err := h.svc.Sessions.EndAll(r.Context(), identity.FromContext(r.Context()).UserID); err != nil {
		return err
	}
	return loggedOut(w, r)
}

func loggedOut(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, cookie(r, "", -time.Second))
	w.WriteHeader(http.StatusNoContent)
	return nil
}
