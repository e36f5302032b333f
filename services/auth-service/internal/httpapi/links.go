package httpapi

import (
	"net/http"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
)

func (h *handlers) resendVerification(w http.ResponseWriter, r *http.Request) error {
	email, err := h.svc.ResendVerification(r.Context(), caller(r))
	if err != nil {
		return answer(err)
	}
	return mailed(w, email)
}

func (h *handlers) verifyEmail(w http.ResponseWriter, r *http.Request) error {
	link, err := httpapi.Decode[rest.Token](w, r)
	if err != nil {
		return err
	}
	if err := h.svc.VerifyEmail(r.Context(), caller(r), link.Token); err != nil {
		return answer(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handlers) requestPasswordReset(w http.ResponseWriter, r *http.Request) error {
	of, err := httpapi.Decode[rest.EmailAddress](w, r)
	if err != nil {
		return err
	}
	if err := h.svc.RequestPasswordReset(r.Context(), caller(r), of.Email); err != nil {
		return answer(err)
	}
	return mailed(w, of.Email)
}

func (h *handlers) resetPassword(w http.ResponseWriter, r *http.Request) error {
	reset, err := httpapi.Decode[rest.PasswordReset](w, r)
	if err != nil {
		return err
	}
	if err := h.svc.ResetPassword(r.Context(), caller(r), reset.Token, reset.Password); err != nil {
		return answer(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handlers) confirmEmailChange(w http.ResponseWriter, r *http.Request) error {
	link, err := httpapi.Decode[rest.Token](w, r)
	if err != nil {
		return err
	}
	changed, err := h.svc.ConfirmEmailChange(r.Context(), caller(r), link.Token)
	if err != nil {
		return answer(err)
	}
	status := rest.EmailChangeStatusWaiting
	if changed {
		status = rest.EmailChangeStatusChanged
	}
	return httpapi.WriteJSON(w, http.StatusOK, rest.EmailChange{Status: status})
}
