// Package psp defines the contract of the payment provider's API: requests,
// responses, and the webhooks it sends.
package psp

import (
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// ChargeRequest is the body of POST /charges.
type ChargeRequest struct {
	// Key is the idempotency key: the provider charges once per key.
	Key    string       `json:"key"`
	Method string       `json:"method"`
	Amount events.Money `json:"amount"`
}

// ChargeStatus is the state of a charge.
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
	// Key is the idempotency key of the request.
	Key         string       `json:"key"`
	Amount      events.Money `json:"amount"`
	Status      ChargeStatus `json:"status"`
	FailureCode string       `json:"failure_code,omitempty"`
	// SettledAt is when the charge was captured or failed.
	SettledAt time.Time `json:"settled_at,omitzero"`
}

// RefundRequest is the body of POST /refunds, which refunds part or all of a
// charge.
type RefundRequest struct {
	// Key is the idempotency key: the provider refunds once per key.
	Key      string       `json:"key"`
	ChargeID string       `json:"charge_id"`
	Amount   events.Money `json:"amount"`
}

// Refund is the provider's record of a refund.
type Refund struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

// Balance is an amount of one currency in minor units.
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
