package httpapi

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// maxQuery is the maximum length of a search text, in characters.
const maxQuery = 200

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
		return id, problem.NotFound("The sale of this event")
	}
	if who := identity.FromContext(r.Context()); who.Role != identity.Admin && who.UserID != organizer {
		return id, problem.Forbidden("Only the event's organizer can see this.")
	}
	return id, nil
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
	money := func(amount int64) rest.Money { return rest.Money{Amount: amount, Currency: currency} }
	out := rest.Sales{
		EventID: e, AsOf: asOf, Seats: seatCounts(s.Seats), Revenue: money(s.Revenue),
		TicketTypes: make([]rest.TicketTypeSales, len(s.TicketTypes)),
		OverTime: rest.SalesOverTime{
			BucketSeconds: int(s.OverTime.Bucket.Seconds()), Buckets: make([]rest.SalesBucket, len(s.OverTime.Buckets)),
		},
	}
	for i, t := range s.TicketTypes {
		out.TicketTypes[i] = rest.TicketTypeSales{ID: t.ID, Name: t.Name, Seats: seatCounts(t.Seats), Revenue: money(t.Revenue)}
	}
	for i, b := range s.OverTime.Buckets {
		out.OverTime.Buckets[i] = rest.SalesBucket{StartsAt: b.StartsAt, Sold: b.Sold, Revenue: b.Revenue}
	}
	return httpapi.WriteJSON(w, http.StatusOK, out)
}

func seatCounts(c booking.SeatCounts) rest.SeatCounts {
	return rest.SeatCounts{Available: c.Available, Held: c.Held, Sold: c.Sold, Blocked: c.Blocked}
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
	text := r.URL.Query().Get("q")
	if utf8.RuneCountInString(text) > maxQuery {
		return problem.Invalid(problem.Field{Field: "q", Code: "too_long", Message: "must have at most 200 characters"})
	}
	people, next, err := a.search(r.Context(), e, text, from.Seat, limit)
	if err != nil {
		return explain(err)
	}
	page := rest.AttendeePage{Items: make([]rest.Attendee, len(people))}
	for i, p := range people {
		page.Items[i] = rest.Attendee{
			TicketID: p.Ticket, BookingID: p.Booking, OrderNumber: p.OrderNumber(), SeatID: p.Seat.ID.String(), Section: p.Seat.Section, Row: p.Seat.Row,
			Number: p.Seat.Number, TicketType: p.Seat.TicketTypeName, Price: rest.Money(p.Seat.Price), Holder: p.Holder,
			CheckedInAt: orZero(p.CheckedInAt),
		}
	}
	if next >= 0 {
		if page.NextCursor, err = httpapi.NextCursor(attendeePosition{next}); err != nil {
			return err
		}
	}
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

// search returns up to limit attendees from a position on who match a text, and
// the position to continue from, or -1 at the end. It reads in batches, so that
// the event can be sold in between.
func (a *api) search(ctx context.Context, e uuid.UUID, text string, from, limit int) (found []booking.Attendee, next int, err error) {
	for next = from; next >= 0; {
		var people []booking.Attendee
		err := a.engine.Read(ctx, eventlog.IDOf(e), func(s *booking.State) { people, next = s.Attendees(next, attendeeBatch) })
		if err != nil {
			return nil, 0, err
		}
		for _, p := range people {
			if !p.Matches(text) {
				continue
			}
			if len(found) == limit {
				return found, p.Position, nil
			}
			found = append(found, p)
		}
	}
	return found, next, nil
}

// attendeePosition is a position in an event's list of attendees: the position
// of the next seat.
type attendeePosition struct{ Seat int }
