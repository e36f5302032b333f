package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/psp"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

const (
	webhookPath  = "/webhooks/psp"
	webhookLimit = 64 << 10
)

// webhook receives the provider's webhooks. 204 means that the event is
// recorded; after any other status the provider sends it again.
func (a API) webhook(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, webhookLimit))
	if err != nil {
		return problem.New(http.StatusRequestEntityTooLarge, problem.CodeBodyTooLarge, "The body is too large.").Because(err)
	}
	if err := psp.Verify(a.WebhookSecret, r.Header.Get(psp.SignatureHeader), body, a.Clock.Now()); err != nil {
		slog.WarnContext(r.Context(), "webhook refused", "error", err, "from", r.RemoteAddr)
		return problem.New(http.StatusUnauthorized, problem.CodeSignatureInvalid, "The webhook's signature is not valid.").Because(err)
	}
	var e psp.Event
	if err := json.Unmarshal(body, &e); err != nil {
		return problem.New(http.StatusBadRequest, problem.CodeMalformedJSON, "The body is not a valid webhook.").Because(err)
	}
	id, err := uuid.Parse(e.Charge.Key)
	if err != nil {
		return problem.NotFound("The payment")
	}
	err = a.Store.Update(r.Context(), id, func(p *payment.Purchase) error { return payment.Apply(p, id, e.Charge) })
	switch {
	case errors.Is(err, payment.ErrNotFound):
		return problem.NotFound("The payment")
	case errors.Is(err, payment.ErrAmount):
		return problem.New(http.StatusUnprocessableEntity, problem.CodeAmountMismatch, "The amount does not match the payment.").Because(err)
	case err != nil:
		return a.problem(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
