// Package httpapi serves a booking's tickets as files.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/records"
)

// API handles the requests of notification-service.
type API struct {
	Records *records.Client
	// PublicURL is the base of links.
	PublicURL string
}

// New returns the routes.
func New(a API, verifier *identity.Verifier) http.Handler {
	r := httpapi.New(verifier)
	r.Handle(http.MethodGet, "/api/v1/bookings/{id}/tickets.pdf", httpapi.WithSession(a.pdf))
	r.Handle(http.MethodGet, "/api/v1/bookings/{id}/calendar.ics", httpapi.WithSession(a.calendar))
	return r
}

func (a API) pdf(w http.ResponseWriter, r *http.Request) error {
	b, err := a.booking(r)
	if err != nil {
		return err
	}
	file, err := mail.TicketsPDF(b, a.language(r.Context(), b.UserID))
	if err != nil {
		return err
	}
	writeFile(w, "application/pdf", "tickets-"+b.OrderNumber+".pdf", file)
	return nil
}

func (a API) calendar(w http.ResponseWriter, r *http.Request) error {
	b, err := a.booking(r)
	if err != nil {
		return err
	}
	writeFile(w, "text/calendar; charset=utf-8", "event-"+b.OrderNumber+".ics", mail.Calendar(b, a.PublicURL))
	return nil
}

// booking returns the caller's own confirmed booking.
func (a API) booking(r *http.Request) (b events.BookingRecord, err error) {
	id, err := httpapi.PathUUID(r, "id", "The booking")
	if err != nil {
		return b, err
	}
	b, err = a.Records.BookingRecord(r.Context(), id)
	switch {
	case errors.Is(err, records.ErrNotFound), err == nil && b.UserID != identity.FromContext(r.Context()).UserID:
		return b, problem.NotFound("The booking")
	case err != nil:
		return b, problem.Unavailable(err)
	case rest.BookingStatus(b.Status) != rest.BookingStatusConfirmed:
		return b, problem.New(http.StatusConflict, problem.CodeBookingNotConfirmed,
			"This booking has no tickets unless it is confirmed.")
	}
	return b, nil
}

// language returns the language of a person's account. It is English while
// auth-service does not answer: somebody may stand at the door without a ticket.
func (a API) language(ctx context.Context, user uuid.UUID) string {
	account, err := a.Records.Account(ctx, user)
	if err != nil {
		slog.WarnContext(ctx, "fetch account failed, using English", "error", err)
		return "en"
	}
	return account.Language
}

func writeFile(w http.ResponseWriter, contentType, name string, file []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Length", strconv.Itoa(len(file)))
	h.Set("Cache-Control", "private, no-store")
	// The client may have disconnected; nothing can be reported to it.
	_, _ = w.Write(file)
}
