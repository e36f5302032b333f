package main

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
)

func TestTicketsAreServedToTheirBuyerOnly(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.start(t)
	buyer := p.buyer()
	b := p.book(buyer, uuid.New(), rest.BookingStatusConfirmed)
	held := p.book(buyer, uuid.New(), rest.BookingStatusHeld)
	for file, want := range map[string]struct{ contentType, start, name string }{
		"tickets.pdf":  {"application/pdf", "%PDF", "tickets-K7QX-2M9P.pdf"},
		"calendar.ics": {"text/calendar", "BEGIN:VCALENDAR", "event-K7QX-2M9P.ics"},
	} {
		path := func(id string) string { return "/api/v1/bookings/" + id + "/" + file }
		status, header, body := p.get(t, buyer.UserID, path(b.BookingID.String()))
		if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), want.contentType) ||
			!strings.HasPrefix(body, want.start) ||
			header.Get("Content-Disposition") != "attachment; filename="+want.name {
			t.Errorf("%s: %d %v %.80q", file, status, header, body)
		}
		for name, tc := range map[string]struct {
			user   uuid.UUID
			id     string
			status int
			code   string
		}{
			"not logged in":   {uuid.Nil, b.BookingID.String(), 401, "session_required"},
			"somebody else's": {uuid.New(), b.BookingID.String(), 404, "not_found"},
			"unknown":         {buyer.UserID, uuid.NewString(), 404, "not_found"},
			"no id":           {buyer.UserID, "nonsense", 404, "not_found"},
			"held":            {buyer.UserID, held.BookingID.String(), 409, "booking_not_confirmed"},
		} {
			status, _, body := p.get(t, tc.user, path(tc.id))
			if status != tc.status || !strings.Contains(body, `"`+tc.code+`"`) {
				t.Errorf("%s, %s: %d %s", file, name, status, body)
			}
		}
	}
	// Without an account there is no language, and still a ticket.
	orphan := p.book(events.Account{UserID: uuid.New()}, uuid.New(), rest.BookingStatusConfirmed)
	status, _, body := p.get(t, orphan.UserID, "/api/v1/bookings/"+orphan.BookingID.String()+"/tickets.pdf")
	if status != 200 {
		t.Errorf("%d %s", status, body)
	}
}
