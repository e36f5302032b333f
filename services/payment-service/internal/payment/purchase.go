// Package payment is what it means to pay for a booking: attempts, captures,
// declines, cancellations and refunds. It knows no store and no provider.
package payment

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Status of a payment, one attempt to pay for a booking.
type Status string

// Statuses. Processing ends in Succeeded or Failed; Succeeded may go on to
// Refunding and Refunded.
const (
	Processing Status = "processing"
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Refunding  Status = "refunding"
	Refunded   Status = "refunded"
)

// BookingEnded is the failure code of a payment that was given back, or not
// charged at all, because its booking had ended.
const BookingEnded = "booking_ended"

// Booking is payment-service's copy of what may be paid.
type Booking struct {
	ID      uuid.UUID
	EventID uuid.UUID
	UserID  uuid.UUID
	// Total is zero, without a currency, while only the cancellation is known.
	Total     events.Money
	ExpiresAt time.Time
	// CancelReason is empty while the booking is open.
	CancelReason events.CancelReason
}

// Cancelled tells whether the booking has ended without keeping money.
func (b *Booking) Cancelled() bool { return b.CancelReason != "" }

// Payment is one attempt to pay for a booking.
type Payment struct {
	// ID is also the provider's idempotency key of the charge.
	ID        uuid.UUID
	BookingID uuid.UUID
	UserID    uuid.UUID
	// Attempt counts a booking's payments from 1.
	Attempt int
	Method  string
	Amount  events.Money
	Status  Status
	// FailureCode is why it failed, or BookingEnded when it is given back.
	FailureCode string
	// ChargeID is the provider's name of the charge, once known.
	ChargeID   string
	CreatedAt  time.Time
	CapturedAt time.Time
	FailedAt   time.Time
	RefundedAt time.Time
	// Of the request that began it, for the store: the name of its trace, its
	// Idempotency-Key, if any, and what tells it apart from others under that key.
	Traceparent    string
	IdempotencyKey string
	RequestHash    []byte
}

// Captured tells whether the provider took the money, given back or not.
func (p *Payment) Captured() bool {
	return p.Status == Succeeded || p.Status == Refunding || p.Status == Refunded
}

// Errors of Start.
var (
	ErrNotYours   = errors.New("the booking is somebody else's")
	ErrInProgress = errors.New("a payment of the booking is in progress")
	ErrPaid       = errors.New("the booking is paid")
)

// NotPayableError is returned for a booking that takes no more payments.
type NotPayableError struct {
	// Status is the booking's, expired or cancelled.
	Status string
}

// Error says the booking's status.
func (e *NotPayableError) Error() string { return "the booking is " + e.Status }

// ErrAmount is returned for a capture of another amount than was asked for.
var ErrAmount = errors.New("the provider captured another amount")

// Refund is a payment to be given back in full.
type Refund struct {
	// ID is also the provider's idempotency key of the refund.
	ID        uuid.UUID
	PaymentID uuid.UUID
	BookingID uuid.UUID
	ChargeID  string
	Amount    events.Money
}

// Purchase is a booking with all its payments; it is changed under the
// booking's lock. What its methods decide is gathered for the store.
type Purchase struct {
	Booking  Booking
	Payments []*Payment

	// Changed has the payments that are new or other than they were read.
	Changed map[uuid.UUID]*Payment
	// Refunds has those that became owed.
	Refunds []Refund
	// Events has what booking-service must be told: events.PaymentConfirmed,
	// PaymentFailed and PaymentRefunded.
	Events []any
}

func (p *Purchase) touch(pay *Payment) {
	if p.Changed == nil {
		p.Changed = map[uuid.UUID]*Payment{}
	}
	p.Changed[pay.ID] = pay
}

// Payment returns the payment with an id, nil if it is not one of this booking.
func (p *Purchase) Payment(id uuid.UUID) *Payment {
	for _, pay := range p.Payments {
		if pay.ID == id {
			return pay
		}
	}
	return nil
}

// Start begins a payment. Errors: ErrNotYours, *NotPayableError, ErrInProgress, ErrPaid.
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
	p.touch(pay)
	return pay, nil
}

// Capture records that the provider took the money for a payment. Told again,
// it changes nothing. Money for a booking that has ended is given back. A
// capture after a failure is kept if the booking is open and unpaid, and given
// back otherwise. Error: ErrAmount.
func (p *Purchase) Capture(id uuid.UUID, chargeID string, amount events.Money, at time.Time) error {
	pay := p.Payment(id)
	if pay == nil {
		return fmt.Errorf("payment %s is not one of booking %s", id, p.Booking.ID)
	}
	if pay.Captured() {
		return nil
	}
	if amount != pay.Amount {
		return fmt.Errorf("%w: %v instead of %v for payment %s", ErrAmount, amount, pay.Amount, id)
	}
	pay.ChargeID, pay.CapturedAt = chargeID, at
	p.touch(pay)
	if p.Booking.Cancelled() || p.otherLive(id) {
		p.owe(pay)
		return nil
	}
	pay.Status, pay.FailureCode = Succeeded, ""
	p.Events = append(p.Events, events.PaymentConfirmed{
		PaymentID: pay.ID, BookingID: p.Booking.ID, EventID: p.Booking.EventID,
		Amount: pay.Amount, CapturedAt: at,
	})
	return nil
}

// otherLive tells whether another payment has, or may get, the booking's price.
func (p *Purchase) otherLive(id uuid.UUID) bool {
	for _, pay := range p.Payments {
		if pay.ID != id && (pay.Status == Processing || pay.Status == Succeeded) {
			return true
		}
	}
	return false
}

func (p *Purchase) owe(pay *Payment) {
	pay.Status, pay.FailureCode = Refunding, BookingEnded
	p.touch(pay)
	p.Refunds = append(p.Refunds, Refund{
		ID: uuid.Must(uuid.NewV7()), PaymentID: pay.ID, BookingID: p.Booking.ID, ChargeID: pay.ChargeID, Amount: pay.Amount,
	})
}

// Decline records that a payment failed, with the provider's reason. What has
// ended already stays as it is.
func (p *Purchase) Decline(id uuid.UUID, code string, at time.Time) {
	pay := p.Payment(id)
	if pay == nil || pay.Status != Processing {
		return
	}
	pay.Status, pay.FailureCode, pay.FailedAt = Failed, code, at
	p.touch(pay)
	p.Events = append(p.Events, events.PaymentFailed{
		PaymentID: pay.ID, BookingID: p.Booking.ID, EventID: p.Booking.EventID,
		FailureCode: code, FailedAt: at,
	})
}

// Settle gives back what was captured for a booking that has ended. A payment
// still processing is given back when its capture arrives.
func (p *Purchase) Settle() {
	if !p.Booking.Cancelled() {
		return
	}
	for _, pay := range p.Payments {
		if pay.Status == Succeeded {
			p.owe(pay)
		}
	}
}

// Refunded records that the provider gave the money back.
func (p *Purchase) Refunded(id uuid.UUID, at time.Time) {
	pay := p.Payment(id)
	if pay == nil || pay.Status != Refunding {
		return
	}
	pay.Status, pay.RefundedAt = Refunded, at
	p.touch(pay)
	reason := p.Booking.CancelReason
	if reason == "" {
		reason = events.PaymentLate // paid twice: a late capture of an attempt given up
	}
	p.Events = append(p.Events, events.PaymentRefunded{
		PaymentID: pay.ID, BookingID: p.Booking.ID, EventID: p.Booking.EventID,
		Amount: pay.Amount, Reason: reason, RefundedAt: at,
	})
}
