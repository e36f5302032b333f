package payment

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/psp"
)

// Methods of payment the provider takes.
var Methods = []string{"pm_ok", "pm_declined", "pm_insufficient_funds", "pm_slow", "pm_unknown", "pm_duplicate_webhook"}

// KnownMethod tells whether the provider takes a method.
func KnownMethod(method string) bool { return slices.Contains(Methods, method) }

// The provider's words for a charge and for money are ours too.
type (
	// Charge is the provider's record of a payment; its Key is the payment's ID.
	Charge = psp.Charge
	// Balance is money of one currency in minor units.
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

// ErrRejected is returned for what the provider refused and did not do.
var ErrRejected = errors.New("refused by the provider")

// Provider moves money. An error other than ErrNoCharge and ErrRejected leaves
// the outcome unknown: ask by Lookup, or send the same again with the same key;
// the provider acts once for a key.
type Provider interface {
	// Charge takes the amount from the method. The charge it returns may be
	// pending: the outcome then comes by webhook.
	Charge(ctx context.Context, key, method string, amount events.Money) (Charge, error)
	// Lookup returns the charge made with a key.
	Lookup(ctx context.Context, key string) (Charge, error)
	// Refund gives an amount of a captured charge back and returns when it did.
	Refund(ctx context.Context, key, chargeID string, amount events.Money) (time.Time, error)
	// Settled returns at most limit charges settled by before and after the
	// place (from, fromID) in the order of time and ID.
	Settled(ctx context.Context, from time.Time, fromID string, before time.Time, limit int) ([]Charge, error)
	// Ledger returns what was captured and refunded up to a time, by currency.
	Ledger(ctx context.Context, before time.Time) (map[string]Balance, error)
}
