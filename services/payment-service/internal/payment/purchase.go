// Package payment is the domain of paying for a booking: attempts, captures,
// declines, cancellations and refunds. It depends on no store and no provider.
package payment

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Status is the state of a payment, which is one attempt to pay for a booking.
type Status string

// Statuses. Processing ends in Succeeded or Failed; Succeeded may lead to
// Refunding and Refunded.
const (
	Processing Status = "processing"
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Refunding  Status = "refunding"
	Refunded   Status = "refunded"
)

// BookingEnded is the failure code of a payment that was refunded, or never
// charged, because its booking had ended.
const BookingEnded = "booking_ended"

// Booking is payment-service's copy of a booking that can be paid.
type Booking struct {
	ID      uuid.UUID
	EventID uuid.UUID
	UserID  uuid.UUID
	// Total is zero, without a currency, if only the cancellation is known.
	Total     events.Money
	ExpiresAt time.Time
	// CancelReason is empty while the booking is open.
	CancelReason events.CancelReason
}

// Cancelled reports whether the booking has ended and no payment may be kept.
func (b *Booking) Cancelled() bool { return b.CancelReason != "" }

// Payment is one attempt to pay for a booking.
type Payment struct {
	// ID is also the idempotency key of the charge at the provider.
	ID        uuid.UUID
	BookingID uuid.UUID
	UserID    uuid.UUID
	// Attempt numbers a booking's payments, starting at 1.
	Attempt int
	Method  string
	Amount  events.Money
	Status  Status
	// FailureCode says why the payment failed, or is BookingEnded if it is
	// refunded.
	FailureCode string
	// ChargeID is the provider's id of the charge, once known.
	ChargeID   string
	CreatedAt  time.Time
	CapturedAt time.Time
	FailedAt   time.Time
	RefundedAt time.Time
	// Properties of the request that started the payment, for the store: its
	// trace, its Idempotency-Key, if any, and a hash that detects other
	// requests with that key.
	Traceparent    string
	IdempotencyKey string
	RequestHash    []byte
}

// Captured reports whether the money was captured, whether refunded or not.
func (p *Payment) Captured() bool {
	return p.Status == Succeeded || p.Status == Refunding || p.Status == Refunded
}

// Errors of Start.
var (
	ErrNotYours   = errors.New("the booking is someone else's")
	ErrInProgress = errors.New("a payment of the booking is in progress")
	ErrPaid       = errors.New("the booking is paid")
)

// NotPayableError is returned for a booking that takes no more payments.
type NotPayableError struct {
	// Status is the booking's status: expired or cancelled.
	Status string
}

// Error gives the booking's status.
func (e *NotPayableError) Error() string { return "the booking is " + e.Status }

// ErrAmount is returned for a capture whose amount differs from the payment's.
var ErrAmount = errors.New("the provider captured a different amount")

// Refund is a payment to be refunded in full.
type Refund struct {
	// ID is also the idempotency key of the refund at the provider.
	ID        uuid.UUID
	PaymentID uuid.UUID
	BookingID uuid.UUID
	ChargeID  string
	Amount    events.Money
}

// Purchase is a booking with all its payments. It is changed under the
// booking's lock. Its methods collect their decisions for the store.
type Purchase struct {
	Booking  Booking
	Payments []*Payment

	// Changed holds the payments that are new or have changed since they were
	// read.
	Changed map[uuid.UUID]*Payment
	// Refunds holds the new refunds.
	Refunds []Refund
	// Events holds the messages for booking-service: events.PaymentConfirmed,
	// PaymentFailed and PaymentRefunded.
	Events []any
}

func (p *Purchase) markChanged(pay *Payment) {
	if p.Changed == nil {
		p.Changed = map[uuid.UUID]*Payment{}
	}
	p.Changed[pay.ID] = pay
}

// Payment returns the payment with an id, or nil if this booking has none.
func (p *Purchase) Payment(id uuid.UUID) *Payment {
	for _, pay := range p.Payments {
		if pay.ID == id {
			return pay
		}
	}
	return nil
}

// Start starts a payment. Errors: ErrNotYours, *NotPayableError, ErrInProgress,
// ErrPaid.
func (p *Purchase) Start(id, user uuid.UUID, method string, now time.Time) (*Payment, error) {
	if p.Booking.UserID != user {
		return nil, ErrNotYours
	}
	if p.Booking.Cancelled() {
		status := "cancelled"
		if p.Booking.CancelReason == events.HoldExpired {
			status = "expired"
		}
		return nil, &NotPayableError{Status: status}
	}
	for _, pay := range p.Payments {
		switch pay.Status {
		case Processing:
			return nil, ErrInProgress
		case Succeeded:
			return nil, ErrPaid
		case Failed, Refunding, Refunded:
		}
	}
	if !now.Before(p.Booking.ExpiresAt) {
		return nil, &NotPayableError{Status: "expired"}
	}
	pay := &Payment{
		ID: id, BookingID: p.Booking.ID, UserID: user, Attempt: len(p.Payments) + 1, Method: method,
		Amount: p.Booking.Total, Status: Processing, CreatedAt: now,
	}
	p.Payments = append(p.Payments, pay)
	p.markChanged(pay)
	return pay, nil
}

// Capture records that the provider captured a payment. Repeated calls have no
// effect. Money for a booking that has ended is refunded. A capture after a
// failure is kept if the booking is open and unpaid, and refunded otherwise.
// Error: ErrAmount.
func (p *Purchase) Capture(id uuid.UUID, chargeID string, amount events.Money, at time.Time) error {
	pay := p.Payment(id)
	if pay == nil {
		return fmt.Errorf("payment %s does not belong to booking %s", id, p.Booking.ID)
	}
	if pay.Captured() {
		return nil
	}
	if amount != pay.Amount {
		return fmt.Errorf("%w: %v instead of %v for payment %s", ErrAmount, amount, pay.Amount, id)
	}
	pay.ChargeID, pay.CapturedAt = chargeID, at
	p.markChanged(pay)
	if p.Booking.Cancelled() || p.otherPending(id) {
		p.startRefund(pay)
		return nil
	}
	pay.Status, pay.FailureCode = Succeeded, ""
	p.Events = append(p.Events, events.PaymentConfirmed{
		PaymentID: pay.ID, BookingID: p.Booking.ID, EventID: p.Booking.EventID,
		Amount: pay.Amount, CapturedAt: at,
	})
	return nil
}

// otherPending reports whether another payment has captured, or may yet capture,
// the booking's price.
func (p *Purchase) otherPending(id uuid.UUID) bool {
	for _, pay := range p.Payments {
		if pay.ID != id && (pay.Status == Processing || pay.Status == Succeeded) {
			return true
		}
	}
	return false
}

func (p *Purchase) startRefund(pay *Payment) {
	pay.Status, pay.FailureCode = Refunding, BookingEnded
	p.markChanged(pay)
	p.Refunds = append(p.Refunds, Refund{
		ID: uuid.Must(uuid.NewV7()), PaymentID: pay.ID, BookingID: p.Booking.ID, ChargeID: pay.ChargeID, Amount: pay.Amount,
	})
}

// Decline records that a payment failed, with the provider's reason. It has no
// effect on a payment that has already ended.
func (p *Purchase) Decline(id uuid.UUID, code string, at time.Time) {
	pay := p.Payment(id)
	if pay == nil || pay.Status != Processing {
		return
	}
	pay.Status, pay.FailureCode, pay.FailedAt = Failed, code, at
	p.markChanged(pay)
	p.Events = append(p.Events, events.PaymentFailed{
		PaymentID: pay.ID, BookingID: p.Booking.ID, EventID: p.Booking.EventID,
		FailureCode: code, FailedAt: at,
	})
}

// RefundIfCancelled refunds what was captured for a booking that has ended. A payment
// still processing is refunded when its capture arrives.
func (p *Purchase) RefundIfCancelled() {
	if !p.Booking.Cancelled() {
		return
	}
	for _, pay := range p.Payments {
		if pay.Status == Succeeded {
			p.startRefund(pay)
		}
	}
}

// Refunded records that the provider refunded the payment.
func (p *Purchase) Refunded(id uuid.UUID, at time.Time) {
	pay := p.Payment(id)
	if pay == nil || pay.Status != Refunding {
		return
	}
	pay.Status, pay.RefundedAt = Refunded, at
	p.markChanged(pay)
	reason := p.Booking.CancelReason
	if reason == "" {
		reason = events.PaymentLate // paid twice: a late capture of an abandoned attempt
	}
	p.Events = append(p.Events, events.PaymentRefunded{
		PaymentID: pay.ID, BookingID: p.Booking.ID, EventID: p.Booking.EventID,
		Amount: pay.Amount, Reason: reason, RefundedAt: at,
	})
}
