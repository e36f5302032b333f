package payment

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/psp"
)

// Methods are the payment methods that the provider accepts.
var Methods = []string{"pm_ok", "pm_declined", "pm_insufficient_funds", "pm_slow", "pm_unknown", "pm_duplicate_webhook"}

// KnownMethod reports whether the provider accepts a method.
func KnownMethod(method string) bool { return slices.Contains(Methods, method) }

// The domain uses the provider's types for charges and balances.
type (
	// Charge is the provider's record of a payment; its Key is the payment's ID.
	Charge = psp.Charge
	// Balance is an amount of one currency in minor units.
	Balance = psp.Balance
)

// Statuses of a charge.
const (
	ChargePending  = psp.ChargePending
	ChargeCaptured = psp.ChargeCaptured
	ChargeFailed   = psp.ChargeFailed
)

// ErrNoCharge is returned by Lookup for a key the provider has never seen.
var ErrNoCharge = errors.New("the provider knows no such charge")

// ErrRejected is returned for a request that the provider refused and did not
// carry out.
var ErrRejected = errors.New("refused by the provider")

// Provider moves money. An error other than ErrNoCharge and ErrRejected leaves
// the outcome unknown: call Lookup, or repeat the request with the same key;
// the provider acts once per key.
type Provider interface {
	// Charge charges the amount to the method. The returned charge may be
	// pending: its outcome then arrives by webhook.
	Charge(ctx context.Context, key, method string, amount events.Money) (Charge, error)
	// Lookup returns the charge made with a key.
	Lookup(ctx context.Context, key string) (Charge, error)
	// Refund refunds an amount of a captured charge and returns the time of the
	// refund.
	Refund(ctx context.Context, key, chargeID string, amount events.Money) (time.Time, error)
	// Settled returns at most limit charges, ordered by settlement time and ID,
	// that were settled by before and follow the position (from, fromID).
	Settled(ctx context.Context, from time.Time, fromID string, before time.Time, limit int) ([]Charge, error)
	// Ledger returns the sums captured and refunded up to a time, by currency.
	Ledger(ctx context.Context, before time.Time) (map[string]Balance, error)
}
