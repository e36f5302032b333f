// Package psp is the contract of the payment provider's API: what it is asked,
// what it answers, and the webhooks it sends.
package psp

import (
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// ChargeRequest is the body of POST /charges.
type ChargeRequest struct {
	// Key is the idempotency key: the provider charges once for a key.
	Key    string       `json:"key"`
	Method string       `json:"method"`
	Amount events.Money `json:"amount"`
}

// ChargeStatus is how far the provider is with a charge.
type ChargeStatus string

// Statuses of a charge.
const (
	ChargePending  ChargeStatus = "pending"
	ChargeCaptured ChargeStatus = "captured"
	ChargeFailed   ChargeStatus = "failed"
)

// Charge is the provider's record of a payment.
type Charge struct {
	ID string `json:"id"`
	// Key is the request's.
	Key         string       `json:"key"`
	Amount      events.Money `json:"amount"`
	Status      ChargeStatus `json:"status"`
	FailureCode string       `json:"failure_code,omitempty"`
	// SettledAt is when it was captured or failed.
	SettledAt time.Time `json:"settled_at,omitzero"`
}

// RefundRequest is the body of POST /refunds: it gives money of a charge back.
type RefundRequest struct {
	// Key is the idempotency key: the provider refunds once for a key.
	Key      string       `json:"key"`
	ChargeID string       `json:"charge_id"`
	Amount   events.Money `json:"amount"`
}

// Refund is the provider's record of a refund.
type Refund struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

// Balance is money of one currency in minor units.
type Balance struct {
	Captured int64 `json:"captured"`
	Refunded int64 `json:"refunded"`
	Net      int64 `json:"net"`
}

// Event is a webhook's body.
type Event struct {
	ID     string `json:"id"`
	Charge Charge `json:"charge"`
}
