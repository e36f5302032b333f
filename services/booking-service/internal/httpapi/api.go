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
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/challenge"
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

// Config has what the API needs.
type Config struct {
	Engine   *eventlog.Engine
	Lists    Lists
	Others   Others
	Signer   *ticket.Signer
	Keys     *ticket.Keys
	Verifier *identity.Verifier
	// Admissions signs the tokens of people whose turn it is in a queue.
	Admissions *identity.Signer
	Challenge  challenge.Verifier
	Invites    booking.Invites
	// Audit publishes an entry of the audit log.
	Audit func(context.Context, events.AuditEntry) error
	// Now returns the cluster's time.
	Now func() time.Time
	// Closing ends the streams when the process is about to stop.
	Closing <-chan struct{}
}

type api struct {
	engine     *eventlog.Engine
	lists      Lists
	others     Others
	signer     *ticket.Signer
	keys       *ticket.Keys
	admissions *identity.Signer
	challenge  challenge.Verifier
	invites    booking.Invites
	audit      func(context.Context, events.AuditEntry) error
	now        func() time.Time
	closing    <-chan struct{}
}

// New returns the routes of booking-service.
func New(c Config) *httpapi.API {
	a := &api{
		engine: c.Engine, lists: c.Lists, others: c.Others, signer: c.Signer, keys: c.Keys, admissions: c.Admissions,
		challenge: c.Challenge, invites: c.Invites, audit: c.Audit, now: c.Now, closing: c.Closing,
	}
	h := httpapi.New(c.Verifier)
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
	queue := v1 + "/events/{id}/queue"
	h.Handle(http.MethodGet, queue, a.queue)
	h.Handle(http.MethodGet, queue+"/stream", a.queueStream)
	h.Handle(http.MethodGet, queue+"/challenge", httpapi.WithSession(a.queueChallenge))
	h.Handle(http.MethodGet, queue+"/place", httpapi.WithSession(a.place))
	h.Handle(http.MethodPut, queue+"/place", httpapi.WithSession(a.takePlace))
	h.Handle(http.MethodDelete, queue+"/place", httpapi.WithSession(a.leaveQueue))
	h.Handle(http.MethodGet, queue+"/report", organizers(a.queueReport))
	h.Handle(http.MethodPut, queue+"/control", organizers(a.controlQueue))
	h.Handle(http.MethodPost, queue+"/invite-codes", organizers(a.inviteCodes))
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
	booking.ScanReused:    problem.New(http.StatusUnprocessableEntity, problem.CodeScanIDReused, "This scan_id was used for a different code. Use a new scan_id."),
	booking.QueueRequired: problem.New(http.StatusForbidden, problem.CodeQueueRequired, "This event has a queue, and it is not your turn. See queue."),
	booking.QueueNotOpen:  problem.New(http.StatusConflict, problem.CodeQueueNotOpen, "The queue of this event is not open."),
	booking.DeviceInQueue: problem.New(http.StatusConflict, problem.CodeDeviceInQueue,
		"Another account has a place in this queue with the same browser. Use that account, or leave the queue with it first."),
	booking.ChallengeFailed:   problem.New(http.StatusUnprocessableEntity, problem.CodeChallengeFailed, "The challenge is not solved or has expired. Get another one."),
	booking.InviteCodeInvalid: problem.New(http.StatusUnprocessableEntity, problem.CodeInviteCodeInvalid, "This invite code is unknown or was used already."),
	booking.NetworkLimit: problem.New(http.StatusTooManyRequests, problem.CodeNetworkLimitReached,
		"Too many people of your network are in this queue. Try again later or from another network.").After(time.Minute),
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
			"The outcome of this request is unknown. Send it again, with the same Idempotency-Key if it has one.").After(time.Second).Because(err)
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
