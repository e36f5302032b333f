// Package httpapi serves bookings, seats and reports over HTTP.
package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/ticket"
)

// requestTimeout limits the work for one request.
const requestTimeout = 8 * time.Second

// Lists finds a user's bookings.
type Lists interface {
	// UserBookings returns the bookings that are stored in the user's list.
	UserBookings(ctx context.Context, user uuid.UUID) ([]eventlog.UserBooking, error)
}

// Others are the other replicas.
type Others interface {
	// BookingsOf returns a user's bookings in the events the others have in memory.
	BookingsOf(ctx context.Context, user uuid.UUID) []eventlog.ListedBooking
}

type api struct {
	engine *eventlog.Engine
	lists  Lists
	others Others
	signer *ticket.Signer
	keys   *ticket.Keys
	// audit publishes an entry of the audit log.
	audit func(context.Context, events.AuditEntry) error
	// closing ends the streams when the process is about to stop.
	closing <-chan struct{}
}

// New returns the routes of booking-service. Streams end when closing is
// closed.
func New(engine *eventlog.Engine, lists Lists, others Others, signer *ticket.Signer, keys *ticket.Keys,
	verifier *identity.Verifier, audit func(context.Context, events.AuditEntry) error, closing <-chan struct{},
) *httpapi.API {
	a := &api{engine: engine, lists: lists, others: others, signer: signer, keys: keys, audit: audit, closing: closing}
	h := httpapi.New(verifier)
	const v1 = "/api/v1"
	h.Handle(http.MethodGet, v1+"/events/{id}/seats", a.seats)
	h.Handle(http.MethodGet, v1+"/events/{id}/seats/stream", a.stream)
	h.Handle(http.MethodPost, v1+"/bookings", httpapi.WithSession(a.hold))
	h.Handle(http.MethodGet, v1+"/bookings", httpapi.WithSession(a.list))
	h.Handle(http.MethodGet, v1+"/bookings/{id}", httpapi.WithSession(a.get))
	h.Handle(http.MethodPost, v1+"/bookings/{id}/cancel", httpapi.WithSession(a.cancel))
	h.Handle(http.MethodGet, v1+"/bookings/{id}/tickets", httpapi.WithSession(a.tickets))
	h.Handle(http.MethodGet, events.HeldBookings+"{id}", httpapi.ForServices(a.held))
	h.Handle(http.MethodGet, events.BookingRecords+"{id}", httpapi.ForServices(a.record))
	organizers := func(h httpapi.Handler) httpapi.Handler {
		return httpapi.WithRole(h, identity.Organizer, identity.Admin)
	}
	h.Handle(http.MethodGet, v1+"/events/{id}/sales", organizers(a.sales))
	h.Handle(http.MethodGet, v1+"/events/{id}/attendees", organizers(a.attendees))
	h.Handle(http.MethodPost, v1+"/events/{id}/check-ins", organizers(a.checkIn))
	h.Handle(http.MethodGet, v1+"/events/{id}/check-ins", organizers(a.scans))
	h.Handle(http.MethodGet, v1+"/tickets/keys", a.ticketKeys)
	return h
}

// problems maps each refusal to a problem.
var problems = map[booking.Reason]*problem.Error{
	booking.SeatsTaken:     problem.New(http.StatusConflict, problem.CodeSeatsTaken, "Some of these seats are taken. Choose others. See seats."),
	booking.NotEnoughSeats: problem.New(http.StatusConflict, problem.CodeNotEnoughSeats, "Not enough seats of this ticket type are left. Ask for fewer."),
	booking.TooManySeats:   problem.New(http.StatusUnprocessableEntity, problem.CodeTooManySeats, "This is more seats than one buyer can have. See limit."),
	booking.BuyerLimit:     problem.New(http.StatusConflict, problem.CodeBuyerLimitReached, "With these seats you would exceed the limit for this event. See limit and held."),
	booking.UnknownSeats:   problem.New(http.StatusUnprocessableEntity, problem.CodeUnknownSeats, "The event does not have some of these seats. See seats."),
	booking.EventNotOnSale: problem.New(http.StatusConflict, problem.CodeEventNotOnSale, "This event is not on sale."),
	booking.SaleNotStarted: problem.New(http.StatusConflict, problem.CodeSaleNotStarted, "The sale has not started yet."),
	booking.SaleEnded:      problem.New(http.StatusConflict, problem.CodeSaleEnded, "The sale has ended."),
	booking.NotCancellable: problem.New(http.StatusConflict, problem.CodeBookingNotCancellable,
		"This booking can no longer be cancelled: it has ended, a ticket was used, or the event has started."),
	booking.NotRecent:    httpapi.ErrNotRecent,
	booking.NotConfirmed: problem.New(http.StatusConflict, problem.CodeBookingNotConfirmed, "This booking has no tickets until it is confirmed."),
	booking.NotFound:     problem.NotFound("This booking"),
	booking.KeyReused: problem.New(http.StatusUnprocessableEntity, problem.CodeIdempotencyKeyReused,
		"This Idempotency-Key was used for a different request. Use a new key."),
	booking.ScanReused: problem.New(http.StatusUnprocessableEntity, problem.CodeScanIDReused, "This scan_id was used for a different code. Use a new scan_id."),
	booking.UnknownTicket: problem.Invalid(problem.Field{
		Field: "ticket_type_id", Code: "unknown", Message: "the event has no such ticket type",
	}),
}

// refused maps a refusal to a problem; it returns nil if the answer is not one.
// Plan resolves the seats.
func refused(answer *logpb.Answer, plan *booking.Plan) error {
	if answer.GetRefusal() == "" {
		return nil
	}
	r := &booking.Refusal{Reason: booking.Reason(answer.GetRefusal()), Limit: int(answer.GetLimit()), Held: int(answer.GetHeld())}
	if plan != nil {
		r.Seats = plan.SeatIDs(answer.GetSeats())
	}
	return r
}

// explain maps an error to a problem.
func explain(err error) error {
	var r *booking.Refusal
	var p *problem.Error
	switch {
	case err == nil || errors.As(err, &p):
		return err
	case errors.As(err, &r):
		answer := problems[r.Reason]
		if answer == nil {
			return err
		}
		answer = answer.Because(err)
		switch r.Reason {
		default:
		case booking.SeatsTaken, booking.UnknownSeats:
			answer = answer.With("seats", r.Seats)
		case booking.TooManySeats:
			answer = answer.With("limit", r.Limit)
		case booking.BuyerLimit:
			answer = answer.With("limit", r.Limit).With("held", r.Held)
		}
		return answer
	case errors.Is(err, eventlog.ErrUnknown):
		return problem.New(http.StatusServiceUnavailable, problem.CodeOutcomeUnknown,
			"The outcome of this request is unknown. Send it again with the same Idempotency-Key.").After(time.Second).Because(err)
	case errors.Is(err, eventlog.ErrOverloaded):
		return problem.New(http.StatusServiceUnavailable, problem.CodeOverloaded, "Too many people are booking this event right now. Try again in a moment.").After(time.Second).Because(err)
	}
	return problem.Unavailable(err)
}

// event calls read with the state of an event that is or was on sale. If this
// replica does not know the event, it reads the store. Found is false if there
// is none.
func (a *api) event(ctx context.Context, id uuid.UUID, read func(*booking.State)) (found bool, err error) {
	known := func(s *booking.State) {
		if s.Event != nil && s.Event.EventID == id {
			found = true
			read(s)
		}
	}
	if err = a.engine.Peek(ctx, eventlog.IDOf(id), known); err == nil && !found {
		err = a.engine.Read(ctx, eventlog.IDOf(id), known)
	}
	return found, err
}
