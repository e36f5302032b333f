package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

type holdRequest struct {
	event      uuid.UUID
	seats      []booking.SeatID
	ticketType string
	quantity   int
}

// holdOf returns what a body asks for. It names every field that breaks a rule.
func holdOf(b rest.NewBooking) (req holdRequest, err error) {
	var wrong []problem.Field
	addError := func(field, code, message string) {
		wrong = append(wrong, problem.Field{Field: field, Code: code, Message: message})
	}
	if req.event = b.EventID; req.event == uuid.Nil {
		addError("event_id", "required", "is required")
	}
	byQuantity := b.TicketTypeID != "" || b.Quantity != nil
	switch {
	case len(b.SeatIDs) > 0 && byQuantity:
		addError("seat_ids", "conflict", "can't be combined with ticket_type_id and quantity")
	case len(b.SeatIDs) > 0:
		req.seats = seatsOf(b.SeatIDs, addError)
	case !byQuantity:
		addError("seat_ids", "required", "must name at least one seat, or send ticket_type_id and quantity")
	default:
		if b.TicketTypeID == "" {
			addError("ticket_type_id", "required", "must be a ticket type of the event")
		}
		if b.Quantity == nil || *b.Quantity < 1 {
			addError("quantity", "out_of_range", "must be at least 1")
		} else {
			req.quantity = *b.Quantity
		}
		req.ticketType = b.TicketTypeID
	}
	if len(wrong) > 0 {
		return req, problem.Invalid(wrong...)
	}
	if max(len(req.seats), req.quantity) > booking.MaxSeatsPerHold {
		return req, &booking.Refusal{Reason: booking.TooManySeats, Limit: booking.MaxSeatsPerHold}
	}
	return req, nil
}

// maxInvalidSeats limits the invalid seats named in a response.
const maxInvalidSeats = 20

func seatsOf(ids []string, addError func(field, code, message string)) []booking.SeatID {
	seats := make([]booking.SeatID, 0, len(ids))
	seen := map[booking.SeatID]bool{}
	invalid := 0
	for i, text := range ids {
		id, err := booking.ParseSeatID(text)
		if invalid == maxInvalidSeats {
			break
		}
		switch {
		case err != nil:
			addError(fmt.Sprintf("seat_ids[%d]", i), "invalid", "must be a seat's id")
			invalid++
		case seen[id]:
			addError(fmt.Sprintf("seat_ids[%d]", i), "duplicate", "is named twice")
			invalid++
		}
		seen[id] = true
		seats = append(seats, id)
	}
	return seats
}

// hold handles POST /api/v1/bookings.
func (a *api) hold(w http.ResponseWriter, r *http.Request) error {
	key, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return err
	}
	raw, err := httpapi.ReadBody(w, r, httpapi.DefaultBodyLimit)
	if err != nil {
		return err
	}
	body, err := decodeHold(raw)
	if err != nil {
		return err
	}
	req, err := holdOf(body)
	if err != nil {
		return explain(err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	var hash []byte
	if key != "" {
		hash = httpapi.RequestHash(r, raw)
	}
	document, replayed, err := a.take(ctx, req, key, hash)
	if err != nil {
		return explain(err)
	}
	if replayed {
		w.Header().Set(httpapi.ReplayedHeader, "true")
	}
	w.Header().Set("Location", "/api/v1/bookings/"+document.ID.String())
	return httpapi.WriteJSON(w, http.StatusCreated, view(document))
}

// decodeHold decodes the body of a hold. The body is checked against the contract
// only if it can't be decoded, to say what is wrong: checking every hold would
// take four times as long as decoding (BenchmarkDecodeHold). holdOf is as strict.
func decodeHold(raw []byte) (rest.NewBooking, error) {
	var body rest.NewBooking
	if httpapi.Unmarshal(raw, &body) != nil {
		return httpapi.Parse[rest.NewBooking](raw)
	}
	return body, nil
}

// take holds seats. For a key that was used before, it returns that booking as
// it was created, and replayed true.
func (a *api) take(ctx context.Context, req holdRequest, key string, hash []byte) (document *booking.Document, replayed bool, err error) {
	who := identity.FromContext(ctx)
	hold := &logpb.Hold{
		Booking: newID(who.UserID, key), User: who.UserID[:], Holder: who.Email, Event: req.event[:],
		TicketType: req.ticketType, Quantity: uint32(req.quantity), RequestHash: hash,
	}
	var plan *booking.Plan
	found, err := a.event(ctx, req.event, func(s *booking.State) { plan = s.Event.Plan })
	if err != nil {
		return nil, false, err
	}
	if !found {
		return nil, false, &booking.Refusal{Reason: booking.EventNotOnSale}
	}
	if hold.Seats, err = positions(plan, req.seats); err != nil {
		return nil, false, err
	}
	answer, err := a.engine.Hold(ctx, command(ctx, req.event, &logpb.Command{Kind: &logpb.Command_Hold{Hold: hold}}))
	if err == nil {
		err = refused(answer, plan)
	}
	if booking.Reason(answer.GetRefusal()) == booking.QueueRequired {
		err = problems[booking.QueueRequired].With("queue", "/api/v1/events/"+req.event.String()+"/queue")
	}
	if err != nil {
		return nil, false, err
	}
	document, err = a.document(ctx, eventlog.IDOf(req.event), answer.GetBooking())
	return document, key != "" && answer.GetReplayed(), err
}

// positions returns the seats' positions in the plan. Error: UnknownSeats.
func positions(plan *booking.Plan, seats []booking.SeatID) ([]uint32, error) {
	var unknown []booking.SeatID
	all := make([]uint32, len(seats))
	for i, id := range seats {
		var ok bool
		if all[i], ok = plan.Position(id); !ok {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		return nil, &booking.Refusal{Reason: booking.UnknownSeats, Seats: unknown}
	}
	return all, nil
}

// traceparent returns the traceparent of a request, or "" if there is none.
func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
