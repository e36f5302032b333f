package httpapi

import (
	"net/http"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
)

func (h *handlers) changeAccount(w http.ResponseWriter, r *http.Request) error {
	patch, err := httpapi.Decode[rest.AccountPatch](w, r)
	if err != nil {
		return err
	}
	a, err := h.svc.ChangeAccount(r.Context(), caller(r), patch)
	if err != nil {
		return answer(err)
	}
	return httpapi.WriteJSON(w, http.StatusOK, h.view(a))
}

func (h *handlers) deleteAccount(w http.ResponseWriter, r *http.Request) error {
	if err := h.svc.Delete(r.Context(), caller(r)); err != nil {
		return answer(err)
	}
	return loggedOut(w, r)
}

func (h *handlers) exportAccount(w http.ResponseWriter, r *http.Request) error {
	x, err := h.svc.Export(r.Context(), caller(r))
	if err != nil {
		return answer(err)
	}
	open, err := h.openSessions(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.WriteJSON(w, http.StatusOK, rest.AccountExport{
		Account: h.view(x.Account), Sessions: open, AuditEntries: auditEntries(x.Audit),
	})
}

func (h *handlers) changePassword(w http.ResponseWriter, r *http.Request) error {
	change, err := httpapi.Decode[rest.PasswordChange](w, r)
	if err != nil {
		return err
	}
	if err := h.svc.ChangePassword(r.Context(), caller(r), change.CurrentPassword, change.Password); err != nil {
		return answer(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handlers) changeEmail(w http.ResponseWriter, r *http.Request) error {
	change, err := httpapi.Decode[rest.EmailAddress](w, r)
	if err != nil {
		return err
	}
	if err := h.svc.RequestEmailChange(r.Context(), caller(r), change.Email); err != nil {
		return answer(err)
	}
	return mailed(w, change.Email)
}

func (h *handlers) reauthenticate(w http.ResponseWriter, r *http.Request) error {
	proof, err := httpapi.Decode[rest.Reauthentication](w, r)
	if err != nil {
		return err
	}
	if err := h.svc.Reauthenticate(r.Context(), caller(r), proof); err != nil {
		return answer(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// account tells a service to whom a mail about a user goes.
func (h *handlers) account(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This user")
	if err != nil {
		return err
	}
	a, err := h.svc.Accounts.ByID(r.Context(), id)
	if err != nil {
		return answer(err)
	}
	return httpapi.WriteJSON(w, http.StatusOK, events.Account{UserID: a.ID, Email: a.Email, Name: a.Name, Language: string(a.Language)})
}
