package booking

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// Message is a message about an entry to other services.
type Message struct {
	// ID is the same whenever the entry is published.
	ID                       uuid.UUID
	Topic, Type, Traceparent string
	// Key orders messages: the id of the booking, or of who acted.
	Key  uuid.UUID
	Time time.Time
	Data []byte
}

// Messages returns the messages about an entry that the state has applied. The
// state may be of a later entry.
func (s *State) Messages(seq int64, entry *logpb.Entry) []Message {
	var all []Message
	operation := 0 // one entry may cancel a booking and refund its late payment
	add := func(b *Booking, op *logpb.Operation, at int64, topic, ceType string, payload any) {
		data, err := json.Marshal(payload)
		if err != nil {
			panic("booking: encode message: " + err.Error()) // plain structs can always be encoded
		}
		booking := b.FullID()
		all = append(all, Message{
			ID: uuid.NewSHA1(booking, fmt.Append(nil, seq, operation, ceType)), Topic: topic, Type: ceType, Key: booking, Time: millis(at), Data: data,
			Traceparent: op.GetTraceparent(),
		})
	}
	cancelled := func(b *Booking, op *logpb.Operation, reason events.CancelReason, at int64) {
		add(b, op, at, events.TopicBookingCancelled, events.TypeBookingCancelled, events.BookingCancelled{
			BookingID: b.FullID(), EventID: b.Event.EventID, UserID: b.User, Reason: reason, CancelledAt: millis(at),
		})
	}
	for i, op := range entry.GetOperations() {
		operation = i
		switch kind := op.GetKind().(type) {
		case *logpb.Operation_Held:
			b := s.bookings[kind.Held.GetBooking()]
			add(b, op, b.Created, events.TopicBookingCreated, events.TypeBookingCreated, b.CreatedEvent())
		case *logpb.Operation_Confirmed:
			b := s.bookings[kind.Confirmed.GetBooking()]
			add(b, op, b.ConfirmedAt, events.TopicBookingConfirmed, events.TypeBookingConfirmed, b.confirmedEvent(id(kind.Confirmed.GetPayment())))
		case *logpb.Operation_Ended:
			cancelled(s.bookings[kind.Ended.GetBooking()], op, events.CancelReason(kind.Ended.GetReason()), kind.Ended.GetAt())
		case *logpb.Operation_PaidLate:
			cancelled(s.bookings[kind.PaidLate.GetBooking()], op, events.PaymentLate, kind.PaidLate.GetAt())
		case *logpb.Operation_Controlled:
			all = append(all, auditMessages(kind.Controlled.GetAudit())...)
		case *logpb.Operation_Invited:
			all = append(all, auditMessages(kind.Invited.GetAudit())...)
		case *logpb.Operation_Defined:
			if !cancels(kind.Defined) {
				continue
			}
			for _, b := range s.bookings {
				if b.Reason == events.EventCancelled && b.EndedAt == kind.Defined.GetAt() {
					cancelled(b, op, b.Reason, b.EndedAt)
				}
			}
		}
	}
	return all
}

// auditMessages returns the message of an audit entry in JSON, if there is one.
func auditMessages(data []byte) []Message {
	var e events.AuditEntry
	if json.Unmarshal(data, &e) != nil {
		return nil
	}
	return []Message{{ID: e.ID, Topic: events.TopicAudit, Type: events.TypeAuditEntry, Key: e.ActorID, Time: e.At, Data: data}}
}

// cancels reports whether a definition cancels the event.
func cancels(op *logpb.Defined) bool {
	var def struct {
		Status events.EventStatus `json:"status"`
	}
	return json.Unmarshal(op.GetDefinition(), &def) == nil && def.Status == events.StatusCancelled
}

func (b *Booking) confirmedEvent(payment uuid.UUID) events.BookingConfirmed {
	c := events.BookingConfirmed{
		BookingID: b.FullID(), OrderNumber: OrderNumber(b.FullID()), EventID: b.Event.EventID, UserID: b.User, PaymentID: payment,
		Total: b.Total(), ConfirmedAt: millis(b.ConfirmedAt),
	}
	for _, n := range b.Seats {
		c.Seats = append(c.Seats, b.Event.Describe(n).confirmed())
	}
	return c
}

func (s BookedSeat) confirmed() events.ConfirmedSeat {
	return events.ConfirmedSeat{
		ID: s.ID.String(), Section: s.Section, Row: s.Row, Number: s.Number, TicketType: s.TicketTypeName, Price: s.Price.Amount,
	}
}

// Record returns what a mail or a printed ticket says of the booking. current
// is the event's latest definition; the booking keeps the one of its hold. The
// tickets have no codes yet.
func (b *Booking) Record(current *Event) events.BookingRecord {
	r := events.BookingRecord{
		BookingID: b.FullID(), OrderNumber: OrderNumber(b.FullID()), UserID: b.User, Status: string(b.Status),
		ExpiresAt: millis(b.Expires), Total: b.Total(), Tickets: make([]events.TicketRecord, len(b.Seats)), EventID: current.EventID,
		EventVersion: current.Version, EventName: current.Name, VenueName: current.VenueName, TimeZone: current.TimeZone, StartsAt: current.StartsAt, EndsAt: current.EndsAt,
	}
	for i, n := range b.Seats {
		r.Tickets[i].ConfirmedSeat = b.Event.Describe(n).confirmed()
	}
	return r
}

// ChangedSince returns copies of the bookings that the entries after seq have
// changed.
func (s *State) ChangedSince(seq int64) []Booking {
	var all []Booking
	for _, b := range s.bookings {
		if b.Seq > seq && b.Status != Unknown {
			all = append(all, *b)
		}
	}
	return all
}
