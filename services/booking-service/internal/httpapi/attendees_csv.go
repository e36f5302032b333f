package httpapi

import (
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/audit"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// csvTimeout limits writing all attendees of an event.
const csvTimeout = 40 * time.Second

var csvColumns = []string{
	"ticket", "section", "row", "seat", "ticket type", "holder", "price", "currency", "order", "booking", "checked in at",
}

// wantsCSV reports whether the Accept header names text/csv, and before JSON if
// it names both.
func wantsCSV(r *http.Request) bool {
	for accept := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		switch media, _, err := mime.ParseMediaType(accept); {
		case err != nil:
		case media == "text/csv":
			return true
		case media == "application/json":
			return false
		}
	}
	return false
}

// attendeeBatch limits the attendees read at once: an event may have 100,000.
const attendeeBatch = 1000

// attendeesCSV writes all attendees.
func (a *api) attendeesCSV(w http.ResponseWriter, r *http.Request, e uuid.UUID) error {
	ctx, cancel := context.WithTimeout(r.Context(), csvTimeout)
	defer cancel()
	// An export that can't be recorded is refused.
	if err := a.audit(ctx, audit.FromRequest(r, rest.AuditActionAttendeesExported, e.String())); err != nil {
		return problem.Unavailable(fmt.Errorf("audit export: %w", err))
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	for from := 0; from >= 0; {
		first := from == 0
		var people []booking.Attendee
		err := a.engine.Read(ctx, eventlog.IDOf(e), func(s *booking.State) { people, from = s.Attendees(from, attendeeBatch) })
		switch {
		case err != nil && first:
			return explain(err)
		case err != nil:
			return cutOff(r, err)
		case first:
			h := w.Header()
			h.Set("Content-Type", "text/csv; charset=utf-8")
			h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "attendees-" + e.String() + ".csv"}))
			_ = out.Write(csvColumns) // reported by out.Error
		}
		writeAttendees(out, people)
		if out.Flush(); out.Error() != nil {
			return nil // the client has disconnected
		}
	}
	return nil
}

// cutOff cuts the connection. The status is already sent, so this is the only
// way to tell the client that the list is incomplete.
func cutOff(r *http.Request, err error) error {
	slog.WarnContext(r.Context(), "list of attendees interrupted", "error", err)
	panic(http.ErrAbortHandler)
}

func writeAttendees(out *csv.Writer, people []booking.Attendee) {
	for _, p := range people {
		in := ""
		if p.CheckedInAt != nil {
			in = p.CheckedInAt.Format(time.RFC3339)
		}
		line := []string{
			p.Ticket.String(), p.Seat.Section, p.Seat.Row, p.Seat.Number, p.Seat.TicketTypeName, p.Holder,
			strconv.FormatInt(p.Seat.Price.Amount, 10), p.Seat.Price.Currency, p.OrderNumber(), p.Booking.String(), in,
		}
		for i, field := range line {
			line[i] = asText(field)
		}
		_ = out.Write(line)
	}
}

// asText keeps a spreadsheet from interpreting a text as a formula: a name such
// as "=cmd|…" must not run on the organizer's machine.
func asText(field string) string {
	if field != "" && strings.ContainsRune("=+-@\t\r", rune(field[0])) {
		return "'" + field
	}
	return field
}
