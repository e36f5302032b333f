package booking

import (
	"fmt"
	"strings"
)

// Reason says why the domain refused a request; it is a stable code for
// clients.
type Reason string

// Reasons.
const (
	SeatsTaken     Reason = "seats_taken"
	NotEnoughSeats Reason = "not_enough_seats"
	TooManySeats   Reason = "too_many_seats"
	BuyerLimit     Reason = "buyer_limit_reached"
	UnknownSeats   Reason = "unknown_seats"
	EventNotOnSale Reason = "event_not_on_sale"
	SaleNotStarted Reason = "sale_not_started"
	SaleEnded      Reason = "sale_ended"
	NotCancellable Reason = "booking_not_cancellable"
	// NotRecent: a refund needs a password entered recently.
	NotRecent     Reason = "reauthentication_required"
	NotConfirmed  Reason = "booking_not_confirmed"
	NotFound      Reason = "not_found"
	KeyReused     Reason = "idempotency_key_reused"
	UnknownTicket Reason = "unknown_ticket_type"
	ScanReused    Reason = "scan_id_reused"
	// QueueRequired: the event has a queue, and the buyer is not admitted.
	QueueRequired     Reason = "queue_required"
	QueueNotOpen      Reason = "queue_not_open"
	DeviceInQueue     Reason = "device_in_queue"
	ChallengeFailed   Reason = "challenge_failed"
	InviteCodeInvalid Reason = "invite_code_invalid"
	NetworkLimit      Reason = "network_limit_reached"
	// InvalidDefinition: the event's seat plan is inconsistent, or the log
	// belongs to another event.
	InvalidDefinition Reason = "invalid_definition"
	// SecondPayment: a confirmed booking was paid for again.
	SecondPayment Reason = "second_payment"
)

// Refusal is the outcome of a valid request that changed nothing.
type Refusal struct {
	Reason Reason
	// Seats names the seats concerned, for SeatsTaken and UnknownSeats.
	Seats []SeatID
	// Limit and Held explain BuyerLimit and TooManySeats.
	Limit, Held int
}

func (r *Refusal) Error() string {
	if len(r.Seats) == 0 {
		return string(r.Reason)
	}
	names := make([]string, len(r.Seats))
	for i, s := range r.Seats {
		names[i] = s.String()
	}
	return fmt.Sprintf("%s: %s", r.Reason, strings.Join(names, ", "))
}
