package httpapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// organized returns the id of the event in the path if the caller is its
// organizer or an admin.
func (a *api) organized(r *http.Request) (uuid.UUID, error) {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return id, err
	}
	var organizer uuid.UUID
	found, err := a.event(r.Context(), id, func(s *booking.State) { organizer = s.Event.OrganizerID })
	if err != nil {
		return id, explain(err)
	}
	if !found {
		return id, problem.NotFound("A sale of this event")
	}
	if who := identity.FromContext(r.Context()); who.Role != identity.Admin && who.UserID != organizer {
		return id, problem.Forbidden("This is for the event's organizer.")
	}
	return id, nil
}

type salesJSON struct {
	EventID     uuid.UUID             `json:"event_id"`
	AsOf        time.Time             `json:"as_of"`
	Seats       seatCountsJSON        `json:"seats"`
	Revenue     events.Money          `json:"revenue"`
	TicketTypes []ticketTypeSalesJSON `json:"ticket_types"`
	OverTime    overTimeJSON          `json:"over_time"`
}

type seatCountsJSON struct {
	Available int `json:"available"`
	Held      int `json:"held"`
	Sold      int `json:"sold"`
	Blocked   int `json:"blocked"`
}

type ticketTypeSalesJSON struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Seats   seatCountsJSON `json:"seats"`
	Revenue events.Money   `json:"revenue"`
}

type overTimeJSON struct {
	BucketSeconds int          `json:"bucket_seconds"`
	Buckets       []bucketJSON `json:"buckets"`
}

type bucketJSON struct {
	StartsAt time.Time `json:"starts_at"`
	Sold     int       `json:"sold"`
	Revenue  int64     `json:"revenue"`
}

func (a *api) sales(w http.ResponseWriter, r *http.Request) error {
	e, err := a.organized(r)
	if err != nil {
		return err
	}
	var s booking.Sales
	var currency string
	asOf := time.Now().UTC().Truncate(time.Millisecond)
	err = a.engine.Read(r.Context(), eventlog.IDOf(e), func(state *booking.State) { s, currency = state.Sales(), state.Event.Currency })
	if err != nil {
		return explain(err)
	}
	money := func(amount int64) events.Money { return events.Money{Amount: amount, Currency: currency} }
	out := salesJSON{
		EventID: e, AsOf: asOf, Seats: seatCountsJSON(s.Seats), Revenue: money(s.Revenue),
		TicketTypes: make([]ticketTypeSalesJSON, len(s.TicketTypes)),
		OverTime:    overTimeJSON{int(s.OverTime.Bucket.Seconds()), make([]bucketJSON, len(s.OverTime.Buckets))},
	}
	for i, t := range s.TicketTypes {
		out.TicketTypes[i] = ticketTypeSalesJSON{t.ID, t.Name, seatCountsJSON(t.Seats), money(t.Revenue)}
	}
	for i, b := range s.OverTime.Buckets {
		out.OverTime.Buckets[i] = bucketJSON(b)
	}
	return httpapi.WriteJSON(w, http.StatusOK, out)
}

type attendeeJSON struct {
	TicketID    uuid.UUID      `json:"ticket_id"`
	BookingID   uuid.UUID      `json:"booking_id"`
	SeatID      booking.SeatID `json:"seat_id"`
	Section     string         `json:"section"`
	Row         string         `json:"row,omitempty"`
	Number      string         `json:"number"`
	TicketType  string         `json:"ticket_type"`
	Price       events.Money   `json:"price"`
	Holder      string         `json:"holder"`
	CheckedInAt *time.Time     `json:"checked_in_at,omitempty"`
}

func (a *api) attendees(w http.ResponseWriter, r *http.Request) error {
	e, err := a.organized(r)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return a.attendeesCSV(w, r, e)
	}
	limit, err := httpapi.PageLimit(r)
	if err != nil {
		return err
	}
	from, err := httpapi.Cursor(r, attendeePosition{})
	if err != nil {
		return err
	}
	var people []booking.Attendee
	next := -1
	err = a.engine.Read(r.Context(), eventlog.IDOf(e), func(s *booking.State) { people, next = s.Attendees(from.Seat, limit) })
	if err != nil {
		return explain(err)
	}
	page := listJSON[attendeeJSON]{Items: make([]attendeeJSON, len(people))}
	for i, p := range people {
		page.Items[i] = attendeeJSON{
			TicketID: p.Ticket, BookingID: p.Booking, SeatID: p.Seat.ID, Section: p.Seat.Section, Row: p.Seat.Row, Number: p.Seat.Number,
			TicketType: p.Seat.TicketTypeName, Price: p.Seat.Price, Holder: p.Holder, CheckedInAt: p.CheckedInAt,
		}
	}
	if next >= 0 {
		if page.NextCursor, err = httpapi.NextCursor(attendeePosition{next}); err != nil {
			return err
		}
	}
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

// attendeePosition is a position in an event's list of attendees: the position
// of the next seat.
type attendeePosition struct{ Seat int }

// listJSON is one page of a list.
type listJSON[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"`
}
