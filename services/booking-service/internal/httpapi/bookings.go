package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/ticket"
)

type bookingJSON struct {
	ID          uuid.UUID           `json:"id"`
	EventID     uuid.UUID           `json:"event_id"`
	EventName   string              `json:"event_name"`
	Status      booking.Status      `json:"status"`
	Reason      events.CancelReason `json:"reason,omitempty"`
	Seats       []seatJSON          `json:"seats"`
	Total       events.Money        `json:"total"`
	CreatedAt   time.Time           `json:"created_at"`
	ExpiresAt   time.Time           `json:"expires_at"`
	ConfirmedAt *time.Time          `json:"confirmed_at,omitempty"`
	EndedAt     *time.Time          `json:"ended_at,omitempty"`
	Payment     *booking.Payment    `json:"payment,omitempty"`
}

type seatJSON struct {
	ID           booking.SeatID `json:"id"`
	Section      string         `json:"section"`
	Row          string         `json:"row,omitempty"`
	Number       string         `json:"number"`
	TicketTypeID string         `json:"ticket_type_id"`
	TicketType   string         `json:"ticket_type"`
	Price        events.Money   `json:"price"`
}

func present(b *booking.Booking) bookingJSON {
	out := bookingJSON{
		ID: b.ID, EventID: b.Home.Event, EventName: b.EventName, Status: b.Status, Reason: b.Reason, Total: b.Total,
		CreatedAt: b.CreatedAt, ExpiresAt: b.ExpiresAt, ConfirmedAt: b.ConfirmedAt, EndedAt: b.EndedAt, Payment: b.Payment,
		Seats: make([]seatJSON, len(b.Seats)),
	}
	for i, s := range b.Seats {
		out.Seats[i] = seatJSON{
			ID: s.ID, Section: s.Section, Row: s.Row, Number: s.Number, TicketTypeID: s.TicketTypeID,
			TicketType: s.TicketTypeName, Price: events.Money{Amount: s.Price, Currency: b.Total.Currency},
		}
	}
	return out
}

type holdBody struct {
	EventID      string   `json:"event_id"`
	SeatIDs      []string `json:"seat_ids"`
	TicketTypeID string   `json:"ticket_type_id"`
	Quantity     *int     `json:"quantity"`
}

// request validates the body and names every wrong field.
func (b *holdBody) request() (req booking.HoldRequest, err error) {
	var wrong []problem.Field
	fault := func(field, code, message string) {
		wrong = append(wrong, problem.Field{Field: field, Code: code, Message: message})
	}
	if req.Event, err = uuid.Parse(b.EventID); err != nil {
		fault("event_id", "invalid", "must be an event's id")
	}
	byQuantity := b.TicketTypeID != "" || b.Quantity != nil
	switch {
	case len(b.SeatIDs) > 0 && byQuantity:
		fault("seat_ids", "conflict", "send either seat_ids, or ticket_type_id and quantity")
	case len(b.SeatIDs) > 0:
		req.Seats = b.seats(fault)
	case !byQuantity:
		fault("seat_ids", "required", "name at least one seat, or send ticket_type_id and quantity")
	default:
		if b.TicketTypeID == "" {
			fault("ticket_type_id", "required", "name a ticket type of the event")
		}
		if b.Quantity == nil || *b.Quantity < 1 {
			fault("quantity", "out_of_range", "must be at least 1")
		} else {
			req.Quantity = *b.Quantity
		}
		req.TicketType = b.TicketTypeID
	}
	if len(wrong) > 0 {
		return req, problem.Invalid(wrong...)
	}
	if max(len(req.Seats), req.Quantity) > booking.MaxSeatsPerHold {
		return req, &booking.Refusal{Reason: booking.TooManySeats, Limit: booking.MaxSeatsPerHold}
	}
	return req, nil
}

// mostFaults bounds the wrong seats an answer names.
const mostFaults = 20

func (b *holdBody) seats(fault func(field, code, message string)) []booking.SeatID {
	seats := make([]booking.SeatID, 0, len(b.SeatIDs))
	seen := map[booking.SeatID]bool{}
	faults := 0
	for i, text := range b.SeatIDs {
		id, err := booking.ParseSeatID(text)
		if faults == mostFaults {
			break
		}
		switch {
		case err != nil:
			fault(fmt.Sprintf("seat_ids[%d]", i), "invalid", "must be a seat's id")
			faults++
		case seen[id]:
			fault(fmt.Sprintf("seat_ids[%d]", i), "duplicate", "is named twice")
			faults++
		}
		seen[id] = true
		seats = append(seats, id)
	}
	return seats
}

func (a *api) hold(w http.ResponseWriter, r *http.Request) error {
	key, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return err
	}
	raw, err := httpapi.ReadBody(w, r, httpapi.DefaultBodyLimit)
	if err != nil {
		return err
	}
	var body holdBody
	if err := httpapi.Unmarshal(raw, &body); err != nil {
		return err
	}
	req, err := body.request()
	if err != nil {
		return explain(err)
	}
	who := identity.FromContext(r.Context())
	req.User, req.Holder = who.UserID, who.Email
	if key != "" {
		req.Key, req.Hash = key, httpapi.RequestHash(r, raw)
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	b, replayed, err := a.service.Hold(ctx, req)
	if err != nil {
		return explain(err)
	}
	if replayed {
		w.Header().Set(httpapi.ReplayedHeader, "true")
	}
	w.Header().Set("Location", "/api/v1/bookings/"+b.ID.String())
	return httpapi.WriteJSON(w, http.StatusCreated, present(&b))
}

func (a *api) get(w http.ResponseWriter, r *http.Request) error {
	b, err := a.own(r)
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, http.StatusOK, present(&b))
}

// held tells payment-service of a booking whose message it has not got yet.
func (a *api) held(w http.ResponseWriter, r *http.Request) error {
	b, err := a.own(r)
	if err != nil {
		return err
	}
	if b.Status != booking.Held {
		return problem.New(http.StatusConflict, "booking_not_payable", "The booking takes no payments any more.").With("booking_status", b.Status)
	}
	return httpapi.WriteJSON(w, http.StatusOK, b.Created())
}

func (a *api) own(r *http.Request) (booking.Booking, error) {
	id, err := httpapi.PathUUID(r, "id", "This booking")
	if err != nil {
		return booking.Booking{}, err
	}
	b, err := a.service.Get(r.Context(), identity.FromContext(r.Context()).UserID, id)
	return b, explain(err)
}

func (a *api) cancel(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This booking")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	b, err := a.service.Cancel(ctx, identity.FromContext(ctx).UserID, id)
	if err != nil {
		return explain(err)
	}
	return httpapi.WriteJSON(w, http.StatusOK, present(&b))
}

func (a *api) list(w http.ResponseWriter, r *http.Request) error {
	limit, err := httpapi.PageLimit(r)
	if err != nil {
		return err
	}
	after, err := position[booking.Position](r)
	if err != nil {
		return err
	}
	bookings, next, err := a.service.List(r.Context(), identity.FromContext(r.Context()).UserID, after, limit)
	if err != nil {
		return explain(err)
	}
	page := listJSON[bookingJSON]{Items: make([]bookingJSON, len(bookings))}
	for i := range bookings {
		page.Items[i] = present(&bookings[i])
	}
	if next != nil {
		if page.NextCursor, err = cursor(next); err != nil {
			return err
		}
	}
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

type ticketJSON struct {
	ID         uuid.UUID      `json:"id"`
	SeatID     booking.SeatID `json:"seat_id"`
	Section    string         `json:"section"`
	Row        string         `json:"row,omitempty"`
	Number     string         `json:"number"`
	TicketType string         `json:"ticket_type"`
	EventID    uuid.UUID      `json:"event_id"`
	EventName  string         `json:"event_name"`
	StartsAt   time.Time      `json:"starts_at"`
	Holder     string         `json:"holder"`
	Code       string         `json:"code"`
	QR         []byte         `json:"qr_png"`
}

func (a *api) tickets(w http.ResponseWriter, r *http.Request) error {
	b, err := a.own(r)
	if err != nil {
		return err
	}
	if b.Status != booking.Confirmed {
		return explain(&booking.Refusal{Reason: booking.NotConfirmed})
	}
	startsAt := b.StartsAt
	if sale := a.inventory.Sale(b.Home.Event); sale != nil {
		startsAt = sale.Event().StartsAt // it may have been moved
	}
	items := make([]ticketJSON, len(b.Seats))
	for i, s := range b.Seats {
		id := booking.TicketID(b.ID, s.ID)
		code, err := a.signer.Code(ticket.Claims{Ticket: id, Booking: b.ID, Event: b.Home.Event, Seat: s.ID.String()})
		if err != nil {
			return err
		}
		png, err := ticket.QR(code)
		if err != nil {
			return err
		}
		items[i] = ticketJSON{
			ID: id, SeatID: s.ID, Section: s.Section, Row: s.Row, Number: s.Number, TicketType: s.TicketTypeName,
			EventID: b.Home.Event, EventName: b.EventName, StartsAt: startsAt,
			Holder: cmp.Or(b.Holder, identity.FromContext(r.Context()).Email), Code: code, QR: png,
		}
	}
	return httpapi.WriteJSON(w, http.StatusOK, map[string]any{"items": items})
}
