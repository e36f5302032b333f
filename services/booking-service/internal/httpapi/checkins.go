package httpapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

func presentScan(event uuid.UUID, s *booking.Scan) rest.Scan {
	out := rest.Scan{
		ScanID: s.ID, EventID: event, Result: rest.ScanResult(s.Result), ScannedAt: s.At, AdmittedAt: orZero(s.AdmittedAt),
		TicketID: s.Ticket, Holder: s.Holder,
	}
	if seat := s.Seat; seat != nil {
		out.Seat = rest.ScannedSeat{
			ID: seat.ID.String(), Section: seat.Section, Row: seat.Row, Number: seat.Number, TicketType: seat.TicketTypeName,
		}
	}
	return out
}

func (a *api) checkIn(w http.ResponseWriter, r *http.Request) error {
	e, err := a.organized(r)
	if err != nil {
		return err
	}
	body, err := httpapi.Decode[rest.NewScan](w, r)
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(body.Code))
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	scanner := identity.FromContext(ctx).UserID
	scan := &logpb.Scan{Id: body.ScanID[:], CodeHash: hash[:], Scanner: scanner[:]}
	a.claims(body.Code, scan)
	answer, err := a.engine.Do(ctx, command(ctx, e, &logpb.Command{Kind: &logpb.Command_Scan{Scan: scan}}))
	if errors.Is(err, eventlog.ErrUnknown) {
		return problem.New(http.StatusServiceUnavailable, problem.CodeOutcomeUnknown,
			"The outcome of this scan is unknown. Send the same scan again.").After(time.Second).Because(err)
	}
	if err == nil {
		err = refused(answer, nil)
	}
	var result booking.Scan
	if err == nil {
		// The owner may be ahead of this replica, which describes the seat.
		err = a.engine.Read(ctx, eventlog.IDOf(e), func(s *booking.State) { result = s.Scan(answer.GetScan()) })
	}
	if err != nil {
		return explain(err)
	}
	if answer.GetReplayed() {
		w.Header().Set(httpapi.ReplayedHeader, "true")
	}
	return httpapi.WriteJSON(w, http.StatusOK, presentScan(e, &result))
}

// claims sets the ticket that a code names. It sets nothing if the code is
// forged.
func (a *api) claims(code string, scan *logpb.Scan) {
	claims, err := a.keys.Verify(code)
	if err != nil {
		return
	}
	seat, err := booking.ParseSeatID(claims.Seat)
	if err != nil || claims.Ticket != booking.TicketID(claims.Booking, seat) {
		return
	}
	scan.Ticket, scan.Event, scan.Booking = claims.Ticket[:], claims.Event[:], claims.Booking[:]
	scan.Block, scan.Index = uint32(seat.Block), uint32(seat.Index)
}

func (a *api) scans(w http.ResponseWriter, r *http.Request) error {
	e, err := a.organized(r)
	if err != nil {
		return err
	}
	limit, err := httpapi.PageLimit(r)
	if err != nil {
		return err
	}
	before, err := httpapi.Cursor(r, uuid.Max)
	if err != nil {
		return err
	}
	var scans []booking.Scan
	err = a.engine.Read(r.Context(), eventlog.IDOf(e), func(s *booking.State) {
		scans = s.Scans(before, limit+1) // one more shows whether there is a next page
	})
	if err != nil {
		return explain(err)
	}
	page := rest.ScanPage{Items: []rest.Scan{}}
	if len(scans) > limit {
		scans = scans[:limit]
		if page.NextCursor, err = httpapi.NextCursor(scans[limit-1].ID); err != nil {
			return err
		}
	}
	for i := range scans {
		page.Items = append(page.Items, presentScan(e, &scans[i]))
	}
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

// ticketKeys is public.
func (a *api) ticketKeys(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=300")
	return httpapi.WriteJSON(w, http.StatusOK, rest.TicketKeys{Keys: a.keys.Public()})
}
