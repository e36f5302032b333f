package httpapi

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func TestCSVIsForThoseWhoAskForIt(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/csv": true, "Text/CSV; charset=utf-8": true,
		"text/csv, application/json": true, "application/json, text/csv": false, "text/html, text/csv;q=0.9, */*": true, "text/*": false, ";": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		if got := wantsCSV(r); got != want {
			t.Errorf("%q: %t, want %t", accept, got, want)
		}
	}
}

func TestCSVHasNoFormulas(t *testing.T) {
	at := time.Date(2027, 1, 2, 20, 0, 0, 0, time.UTC)
	ticket, id := uuid.New(), uuid.New()
	var buf bytes.Buffer
	out := csv.NewWriter(&buf)
	out.UseCRLF = true
	writeAttendees(out, []booking.Attendee{{
		Ticket: ticket, Booking: id, Holder: "+ada@example.com", CheckedInAt: &at,
		Seat: booking.BookedSeat{Section: `=HYPERLINK("http://x")`, Row: "-1", Number: "@7", TicketTypeName: "Stalls, \"best\"", Price: events.Money{Amount: 5000, Currency: "EUR"}},
	}})
	out.Flush()
	want := ticket.String() + `,"'=HYPERLINK(""http://x"")",'-1,'@7,"Stalls, ""best""",'+ada@example.com,5000,EUR,` + booking.OrderNumber(id) + "," + id.String() + ",2027-01-02T20:00:00Z\r\n"
	if got := buf.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
