package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/ticket"
)

func (a *api) get(w http.ResponseWriter, r *http.Request) error {
	var document *booking.Document
	if err := a.own(r, func(_ *booking.State, b *booking.Booking) { document = b.Document() }); err != nil {
		return err
	}
	return httpapi.WriteJSON(w, http.StatusOK, view(document))
}

func view(d *booking.Document) rest.Booking {
	v := rest.Booking{
		ID: d.ID, OrderNumber: booking.OrderNumber(d.ID), EventID: d.EventID, EventName: d.EventName, Status: rest.BookingStatus(d.Status), Reason: rest.EndReason(d.Reason),
		Seats: make([]rest.BookedSeat, len(d.Seats)), Total: rest.Money(d.Total), CreatedAt: d.CreatedAt, ExpiresAt: d.ExpiresAt,
		ConfirmedAt: orZero(d.ConfirmedAt), EndedAt: orZero(d.EndedAt),
	}
	if p := d.Payment; p != nil {
		v.Payment = rest.BookingPayment{ID: p.ID, Status: rest.PaymentStatus(p.Status), FailureCode: rest.FailureCode(p.FailureCode)}
	}
	for i, s := range d.Seats {
		v.Seats[i] = rest.BookedSeat{
			ID: s.ID.String(), Section: s.Section, Row: s.Row, Number: s.Number,
			TicketTypeID: s.TicketTypeID, TicketType: s.TicketTypeName, Price: rest.Money(s.Price),
		}
	}
	return v
}

// orZero returns the value, or the zero value for nil: rest omits it.
func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// held serves a booking to payment-service whose message has not arrived there
// yet.
func (a *api) held(w http.ResponseWriter, r *http.Request) error {
	var b booking.Booking
	if err := a.own(r, func(_ *booking.State, own *booking.Booking) { b = *own }); err != nil {
		return err
	}
	if b.Status != booking.Held {
		return problem.New(http.StatusConflict, problem.CodeBookingNotPayable, "This booking can no longer be paid. See booking_status.").With("booking_status", b.Status)
	}
	return httpapi.WriteJSON(w, http.StatusOK, b.CreatedEvent())
}

// record serves any booking to notification-service.
func (a *api) record(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This booking")
	if err != nil {
		return err
	}
	var record events.BookingRecord
	err = a.engine.Read(r.Context(), eventlog.IDOf(id), func(s *booking.State) {
		if b := s.Booking(booking.OwnHalf(id)); b != nil && b.Status != booking.Unknown {
			record = b.Record(s.Event)
		}
	})
	if err == nil && record.BookingID == uuid.Nil {
		err = &booking.Refusal{Reason: booking.NotFound}
	}
	if err != nil {
		return explain(err)
	}
	if record.Status == string(booking.Confirmed) {
		for i, t := range record.Tickets {
			seat, err := booking.ParseSeatID(t.ID)
			if err != nil {
				return err
			}
			if record.Tickets[i].Code, err = a.code(id, record.EventID, seat); err != nil {
				return err
			}
		}
	}
	return httpapi.WriteJSON(w, http.StatusOK, record)
}

// code returns the signed code of a booking's ticket for a seat.
func (a *api) code(bookingID, event uuid.UUID, seat booking.SeatID) (string, error) {
	return a.signer.Code(ticket.Claims{Ticket: booking.TicketID(bookingID, seat), Booking: bookingID, Event: event, Seat: seat.String()})
}

// own calls read with the booking in the path if it is the caller's.
func (a *api) own(r *http.Request, read func(*booking.State, *booking.Booking)) error {
	id, err := httpapi.PathUUID(r, "id", "This booking")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	found := false
	err = a.engine.Read(ctx, eventlog.IDOf(id), func(s *booking.State) {
		if b := s.Booking(booking.OwnHalf(id)); b != nil && b.User == identity.FromContext(ctx).UserID {
			found = true
			read(s, b)
		}
	})
	if err == nil && !found {
		err = &booking.Refusal{Reason: booking.NotFound}
	}
	return explain(err)
}

func (a *api) cancel(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This booking")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	caller := identity.FromContext(ctx)
	answer, err := a.engine.Do(ctx, command(ctx, id, &logpb.Command{
		Kind: &logpb.Command_Cancel{Cancel: &logpb.Cancel{
			Booking: booking.OwnHalf(id), User: caller.UserID[:], HeldOnly: !caller.Recent,
		}},
	}))
	if err == nil {
		err = refused(answer, nil)
	}
	if err != nil {
		return explain(err)
	}
	document, err := a.document(ctx, eventlog.IDOf(id), answer.GetBooking())
	if err != nil {
		return explain(err)
	}
	return httpapi.WriteJSON(w, http.StatusOK, view(document))
}

// document returns a booking that the owner of its log has encoded.
func (a *api) document(ctx context.Context, id eventlog.ID, encoded *logpb.Booking) (document *booking.Document, err error) {
	var decodeErr error
	decode := func(s *booking.State) {
		var b *booking.Booking
		if b, decodeErr = s.Decode(encoded); decodeErr == nil {
			document = b.Document()
		}
	}
	if err = a.engine.Peek(ctx, id, decode); err == nil && decodeErr != nil {
		err = a.engine.Read(ctx, id, decode) // this replica's state is stale
	}
	if err == nil {
		err = decodeErr
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", eventlog.ErrUnknown, err)
	}
	return document, nil
}

// position is a position in a user's list of bookings, newest first.
type position struct {
	CreatedAt time.Time
	ID        uuid.UUID
}

func (p position) compare(q position) int {
	return cmp.Or(q.CreatedAt.Compare(p.CreatedAt), bytes.Compare(q.ID[:], p.ID[:]))
}

// list merges the user's stored list with the bookings in the replicas' memory,
// which may not be stored yet. The query parameter event_id selects one event's.
func (a *api) list(w http.ResponseWriter, r *http.Request) error {
	limit, err := httpapi.PageLimit(r)
	if err != nil {
		return err
	}
	after, err := httpapi.Cursor[*position](r, nil)
	if err != nil {
		return err
	}
	var event uuid.UUID
	ofEvent := r.URL.Query().Has("event_id")
	if ofEvent {
		if event, err = uuid.Parse(r.URL.Query().Get("event_id")); err != nil {
			return problem.Invalid(problem.Field{Field: "event_id", Code: "invalid", Message: "must be the id of an event"})
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	user := identity.FromContext(ctx).UserID
	stored, err := a.lists.UserBookings(ctx, user)
	if err != nil {
		return explain(err)
	}
	listed := append(a.engine.BookingsOf(user), a.others.BookingsOf(ctx, user)...)
	for _, row := range stored {
		var b eventlog.ListedBooking
		if err := json.Unmarshal(row.Data, &b); err != nil {
			return fmt.Errorf("booking %s of a user's list: %w", row.Booking, err)
		}
		listed = append(listed, b)
	}
	newest := map[uuid.UUID]eventlog.ListedBooking{}
	for _, b := range listed {
		if ofEvent && b.Booking.EventID != event {
			continue
		}
		if known, ok := newest[b.Booking.ID]; !ok || b.Seq > known.Seq {
			newest[b.Booking.ID] = b
		}
	}
	all := make([]*booking.Document, 0, len(newest))
	for _, b := range newest {
		if after == nil || (position{b.Booking.CreatedAt, b.Booking.ID}).compare(*after) > 0 {
			all = append(all, b.Booking)
		}
	}
	slices.SortFunc(all, func(a, b *booking.Document) int {
		return position{a.CreatedAt, a.ID}.compare(position{b.CreatedAt, b.ID})
	})
	page := rest.BookingPage{Items: []rest.Booking{}}
	for _, b := range all[:min(limit, len(all))] {
		page.Items = append(page.Items, view(b))
	}
	if len(all) > limit {
		last := all[limit-1]
		if page.NextCursor, err = httpapi.NextCursor(position{last.CreatedAt, last.ID}); err != nil {
			return err
		}
	}
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

func (a *api) tickets(w http.ResponseWriter, r *http.Request) error {
	var document *booking.Document
	var startsAt time.Time
	var holder string
	err := a.own(r, func(s *booking.State, b *booking.Booking) {
		document, startsAt, holder = b.Document(), s.Event.StartsAt, b.Holder // the current start
	})
	if err != nil {
		return err
	}
	if document.Status != booking.Confirmed {
		return explain(&booking.Refusal{Reason: booking.NotConfirmed})
	}
	items := make([]rest.Ticket, len(document.Seats))
	for i, s := range document.Seats {
		code, err := a.code(document.ID, document.EventID, s.ID)
		if err != nil {
			return err
		}
		png, err := ticket.QR(code)
		if err != nil {
			return err
		}
		items[i] = rest.Ticket{
			ID: booking.TicketID(document.ID, s.ID).String(), OrderNumber: booking.OrderNumber(document.ID), SeatID: s.ID.String(), Section: s.Section, Row: s.Row,
			Number: s.Number, TicketType: s.TicketTypeName,
			EventID: document.EventID, EventName: document.EventName, StartsAt: startsAt, Holder: holder, Code: code, QRPNG: png,
		}
	}
	return httpapi.WriteJSON(w, http.StatusOK, rest.Tickets{Items: items})
}

// newID returns the own half of a booking's id. With an Idempotency-Key it is
// derived from user and key, so that every attempt gets the same booking id.
func newID(user uuid.UUID, key string) uint64 {
	var half [8]byte
	if key == "" {
		_, _ = rand.Read(half[:]) // never fails
	} else {
		sum := sha256.Sum256(append(user[:], key...))
		copy(half[:], sum[:])
	}
	half[0] = half[0]&0x3f | 0x80 // the variant of a UUID
	return binary.BigEndian.Uint64(half[:])
}

// command completes a command about an event or one of its bookings.
func command(ctx context.Context, id uuid.UUID, c *logpb.Command) *logpb.Command {
	c.Event, c.Traceparent = uint64(eventlog.IDOf(id)), traceparent(ctx)
	return c
}
