// Package booking is the heart of Frontrow: seats, holds, and the saga that
// turns a hold into a confirmed booking or gives its seats back. It knows no
// driver; what it needs of the outside it says by interfaces.
//
// Two rules carry everything:
//
//   - A seat row names its owner, and changes owner by compare-and-set only.
//   - A booking's row is its only truth, and moves by compare-and-set on its
//     revision. A seat is taken from a booking only after that booking's row is
//     in a final status, or does not list the seat.
package booking

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Status of a booking.
type Status string

// Statuses. Held and Confirmed own their seats; the others are final.
const (
	Held          Status = "held"
	Confirmed     Status = "confirmed"
	PaymentFailed Status = "payment_failed"
	Expired       Status = "expired"
	Cancelled     Status = "cancelled"
	// Refused marks the id of a hold that lost some of its seats while it was
	// being written: nobody was told yes, and no later write of it can win.
	Refused Status = "refused"
)

// Live tells whether a booking in this status owns its seats.
func (s Status) Live() bool { return s == Held || s == Confirmed }

// Ref locates a booking: the block that holds its row.
type Ref struct {
	BlockID
	ID uuid.UUID
}

// BookedSeat is a seat as it was sold.
type BookedSeat struct {
	ID             SeatID `json:"id"`
	Section        string `json:"section"`
	Row            string `json:"row,omitempty"`
	Number         string `json:"number"`
	TicketTypeID   string `json:"ticket_type_id"`
	TicketTypeName string `json:"ticket_type"`
	// Price in minor units of the booking's currency.
	Price int64 `json:"price"`
}

// Payment is what payment-service has told about a booking.
type Payment struct {
	ID uuid.UUID `json:"id"`
	// Status is succeeded, failed, refunding or refunded.
	Status      string `json:"status"`
	FailureCode string `json:"failure_code,omitempty"`
}

// Payment statuses.
const (
	PaymentSucceeded = "succeeded"
	PaymentDeclined  = "failed"
	PaymentRefunding = "refunding"
	PaymentRefunded  = "refunded"
)

// Booking is one buyer's hold on seats of one event and what became of it.
type Booking struct {
	ID uuid.UUID `json:"id"`
	// Home is the block whose partition holds the booking's row.
	Home   BlockID   `json:"home"`
	UserID uuid.UUID `json:"user_id"`
	// Holder is the buyer's e-mail at the time of the hold; empty in bookings
	// from before it was kept.
	Holder      string              `json:"holder,omitempty"`
	EventName   string              `json:"event_name"`
	StartsAt    time.Time           `json:"starts_at"`
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

// Ref returns where the booking's row is.
func (b *Booking) Ref() Ref { return Ref{b.Home, b.ID} }

// Created is what payment-service is told of the booking.
func (b *Booking) Created() events.BookingCreated {
	return events.BookingCreated{
		BookingID: b.ID, EventID: b.Home.Event, HomeBlock: b.Home.Block, UserID: b.UserID, Total: b.Total,
		CreatedAt: b.CreatedAt, ExpiresAt: b.ExpiresAt,
	}
}

// TicketID returns the id of the ticket for a booking's seat, always the same
// one (a UUIDv5 in the booking's name space).
func TicketID(booking uuid.UUID, seat SeatID) uuid.UUID {
	return uuid.NewSHA1(booking, []byte(seat.String()))
}

// SeatsByBlock groups the seat indexes by block, in block order.
func (b *Booking) SeatsByBlock() []BlockSeats {
	ids := make([]SeatID, len(b.Seats))
	for i, s := range b.Seats {
		ids[i] = s.ID
	}
	return groupByBlock(ids)
}

// BlockSeats is some seats of one block.
type BlockSeats struct {
	Block   int
	Indexes []int
}

func groupByBlock(ids []SeatID) []BlockSeats {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b SeatID) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Index, b.Index))
	})
	var groups []BlockSeats
	for _, id := range ids {
		if n := len(groups); n == 0 || groups[n-1].Block != id.Block {
			groups = append(groups, BlockSeats{Block: id.Block})
		}
		g := &groups[len(groups)-1]
		g.Indexes = append(g.Indexes, id.Index)
	}
	return groups
}

// Record is a booking as it is stored: with the revision its row moves by and
// the messages that are not yet known to be in Kafka.
type Record struct {
	Booking
	// Revision counts the row's changes from 1; 0 means there is no row.
	Revision int
	Outbox   []Message
	// UpdatedAt is when the row last moved to a new revision.
	UpdatedAt time.Time
}

// Message is one to send over Kafka, stored with the change that caused it.
type Message struct {
	ID    uuid.UUID `json:"id"`
	Topic string    `json:"topic"`
	Type  string    `json:"type"`
	Time  time.Time `json:"time"`
	Data  []byte    `json:"data"`
	// Traceparent continues the trace of the request that caused it.
	Traceparent string `json:"traceparent,omitempty"`
}
