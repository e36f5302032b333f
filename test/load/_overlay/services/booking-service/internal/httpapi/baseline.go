package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/baseline"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// AddBaselines adds the baselines that the load test compares holds with: a
// handler that only checks the identity, and holds by rows in Postgres behind
// the same conventions, with and without a lock per event.
func AddBaselines(h *httpapi.API, engine *eventlog.Engine, rows *baseline.Rows) {
	const bench = "/api/v1/bench"
	h.Handle(http.MethodPost, bench+"/noop", httpapi.WithSession(func(w http.ResponseWriter, _ *http.Request) error {
		httpapi.WriteBody(w, http.StatusOK, []byte("{}"))
		return nil
	}))
	b := &baselines{api{engine: engine}, rows}
	h.Handle(http.MethodPost, bench+"/rows", httpapi.WithSession(b.hold(false)))
	h.Handle(http.MethodPost, bench+"/advisory", httpapi.WithSession(b.hold(true)))
}

type baselines struct {
	api  api
	rows *baseline.Rows
}

func (b *baselines) hold(advisory bool) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
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
		var event *booking.Event
		found, err := b.api.event(ctx, req.event, func(s *booking.State) { event = s.Event })
		if err == nil && !found {
			err = &booking.Refusal{Reason: booking.EventNotOnSale}
		}
		if err != nil {
			return explain(err)
		}
		seats, err := positions(event.Plan, req.seats)
		if err != nil {
			return explain(err)
		}
		made := describe(event, identity.FromContext(ctx).UserID, seats)
		taken, err := b.rows.Hold(ctx, made, advisory)
		if err == nil && len(taken) > 0 {
			err = &booking.Refusal{Reason: booking.SeatsTaken, Seats: taken}
		}
		if err != nil {
			return explain(err)
		}
		w.Header().Set("Location", "/api/v1/bookings/"+made.ID.String())
		return httpapi.WriteJSON(w, http.StatusCreated, made.Document)
	}
}

// describe returns the booking that a hold of seats would create.
func describe(e *booking.Event, user uuid.UUID, seats []uint32) *baseline.Booking {
	now := time.Now().Truncate(time.Millisecond)
	b := &baseline.Booking{User: user, Document: booking.Document{
		ID: uuid.Must(uuid.NewV7()), EventID: e.EventID, EventName: e.Name, Status: booking.Held, Total: events.Money{Currency: e.Currency},
		CreatedAt: now, ExpiresAt: now.Add(time.Duration(e.HoldSeconds) * time.Second),
	}}
	for _, n := range seats {
		seat := e.Describe(n)
		b.Seats = append(b.Seats, seat)
		b.Total.Amount += seat.Price.Amount
	}
	return b
}
