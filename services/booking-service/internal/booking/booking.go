// Package booking is the domain of selling seats: the state of one event on
// sale as a pure function of its log, and the rules that decide what is
// appended to the log. It has no clock, no random numbers, no goroutines and no
// store.
//
// State is the state after some entry of the log; Apply advances it to the next
// one. Round decides commands against a State plus the operations that the
// round has already accepted; those operations become the next entry.
package booking

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// Status of a booking.
type Status string

// Statuses. Held and Confirmed bookings own their seats; the others are final.
const (
	Held          Status = "held"
	Confirmed     Status = "confirmed"
	PaymentFailed Status = "payment_failed"
	Expired       Status = "expired"
	Cancelled     Status = "cancelled"
	// Unknown is a booking that was paid for but never held: only its payment
	// is known, which is refunded.
	Unknown Status = "unknown"
)

// Live reports whether a booking in this status owns its seats.
func (s Status) Live() bool { return s == Held || s == Confirmed }

// Payment statuses.
const (
	PaymentSucceeded = "succeeded"
	PaymentDeclined  = "failed"
	PaymentRefunding = "refunding"
	PaymentRefunded  = "refunded"
)

// Payment is the latest payment of a booking.
type Payment struct {
	ID          uuid.UUID `json:"id"`
	Status      string    `json:"status"`
	FailureCode string    `json:"failure_code,omitempty"`
}

// Booking is one buyer's hold on seats and its outcome.
type Booking struct {
	// ID is the second half of the booking's id; the first half is the event's.
	ID     uint64
	User   uuid.UUID
	Holder string
	Status Status
	Reason events.CancelReason
	// Seats are positions in the plan.
	Seats []uint32
	// Event is the definition under which the seats were sold.
	Event *Event
	// Created, Expires, ConfirmedAt and EndedAt are in Unix milliseconds; 0 if
	// not yet.
	Created, Expires, ConfirmedAt, EndedAt int64
	Payment                                *Payment
	// RequestHash is set if the hold had an Idempotency-Key.
	RequestHash []byte
	// Seq is the last entry that changed the booking.
	Seq int64

	definition uint32
}

// JoinID returns the id of a booking from its own half and the id of its event
// or of any booking of that event.
func JoinID(event uuid.UUID, own uint64) uuid.UUID {
	binary.BigEndian.PutUint64(event[8:], own)
	return event
}

// OwnHalf returns the second half of a booking's id, which is its own.
func OwnHalf(id uuid.UUID) uint64 { return binary.BigEndian.Uint64(id[8:]) }

// TicketID returns the id of the ticket for a booking's seat: a UUIDv5 in the
// booking's name space.
func TicketID(booking uuid.UUID, seat SeatID) uuid.UUID {
	return uuid.NewSHA1(booking, []byte(seat.String()))
}

func (b *Booking) confirm(payment uuid.UUID, at, seq int64) {
	b.Status, b.ConfirmedAt, b.Seq = Confirmed, at, seq
	b.Payment = &Payment{ID: payment, Status: PaymentSucceeded}
}

func (b *Booking) end(status Status, reason events.CancelReason, at, seq int64) {
	b.Status, b.Reason, b.EndedAt, b.Seq = status, reason, at, seq
	if b.Payment != nil && b.Payment.Status == PaymentSucceeded {
		b.Payment = &Payment{ID: b.Payment.ID, Status: PaymentRefunding}
	}
}

// setPayment sets the booking's payment and its status, whatever that is.
func (b *Booking) setPayment(id uuid.UUID, status, failureCode string, seq int64) {
	b.Payment, b.Seq = &Payment{ID: id, Status: status, FailureCode: failureCode}, seq
}

// takesRefund reports whether a refund of a payment that the booking does not
// know applies to it: payment-service may have refunded what was captured after
// the booking had ended. It does not apply to a live booking, which another
// payment may confirm, nor to one that has its own money to refund.
func (b *Booking) takesRefund() bool {
	return !b.Status.Live() && (b.Payment == nil || b.Payment.Status == PaymentDeclined)
}

// Encode returns the booking in the form in which replicas exchange it.
func (b *Booking) Encode() *logpb.Booking {
	p := &logpb.Booking{
		Id: b.ID, User: b.User[:], Holder: b.Holder, Status: string(b.Status), Reason: string(b.Reason), Seats: b.Seats,
		Definition: b.definition, Created: b.Created, Expires: b.Expires, Confirmed: b.ConfirmedAt, Ended: b.EndedAt,
		RequestHash: b.RequestHash, Seq: b.Seq,
	}
	if b.Payment != nil {
		p.Payment, p.PaymentStatus, p.FailureCode = b.Payment.ID[:], b.Payment.Status, b.Payment.FailureCode
	}
	return p
}

// Document is the API's representation of a booking.
type Document struct {
	ID          uuid.UUID           `json:"id"`
	EventID     uuid.UUID           `json:"event_id"`
	EventName   string              `json:"event_name"`
	Status      Status              `json:"status"`
	Reason      events.CancelReason `json:"reason,omitempty"`
	Seats       []BookedSeat        `json:"seats"`
	Total       events.Money        `json:"total"`
	CreatedAt   time.Time           `json:"created_at"`
	ExpiresAt   time.Time           `json:"expires_at"`
	ConfirmedAt *time.Time          `json:"confirmed_at,omitempty"`
	EndedAt     *time.Time          `json:"ended_at,omitempty"`
	Payment     *Payment            `json:"payment,omitempty"`
}

// Document returns the API's representation of the booking.
func (b *Booking) Document() *Document {
	d := &Document{
		ID: JoinID(b.Event.EventID, b.ID), EventID: b.Event.EventID, EventName: b.Event.Name, Status: b.Status, Reason: b.Reason,
		Total: b.Total(), CreatedAt: millis(b.Created), ExpiresAt: millis(b.Expires), Payment: b.Payment,
		ConfirmedAt: optional(b.ConfirmedAt), EndedAt: optional(b.EndedAt), Seats: make([]BookedSeat, len(b.Seats)),
	}
	for i, n := range b.Seats {
		d.Seats[i] = b.Event.Describe(n)
	}
	return d
}

// Total returns what the booking costs.
func (b *Booking) Total() events.Money {
	return events.Money{Amount: b.Event.price(b.Seats), Currency: b.Event.Currency}
}

// FullID returns the booking's id.
func (b *Booking) FullID() uuid.UUID { return JoinID(b.Event.EventID, b.ID) }

// CreatedEvent returns the message to payment-service about the booking.
func (b *Booking) CreatedEvent() events.BookingCreated {
	return events.BookingCreated{
		BookingID: b.FullID(), EventID: b.Event.EventID, UserID: b.User, Total: b.Total(),
		CreatedAt: millis(b.Created), ExpiresAt: millis(b.Expires),
	}
}

// asCreated returns the booking as it was when it was created.
func (b *Booking) asCreated() *Booking {
	made := *b
	made.Status, made.Reason, made.ConfirmedAt, made.EndedAt, made.Payment = Held, "", 0, 0, nil
	return &made
}

func (b *Booking) has(seat uint32) bool { return slices.Contains(b.Seats, seat) }

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func optional(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := millis(ms)
	return &t
}
