package httpapi

import (
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

// Ledger serves the balances by currency according to the provider and to
// payments: {"provider":{"EUR":{captured,refunded,net}},"payments":{…}}. It
// belongs on the admin listener.
func Ledger(store payment.Store, provider payment.Provider) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		theirs, err := provider.Ledger(r.Context(), now)
		if err == nil {
			var ours map[string]payment.Balance
			if ours, err = store.Ledger(r.Context(), now); err == nil {
				err = httpapi.WriteJSON(w, http.StatusOK, map[string]any{"provider": theirs, "payments": ours})
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
}
