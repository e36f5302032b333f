//go:build bench

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
)

// AddBaselines adds what the load test compares holds with: a handler that
// does nothing but check the identity, and holds by rows in Postgres behind the
// same conventions, without and with a lock an event.
func AddBaselines(h *httpapi.API, service *booking.Service, rows *baseline.Rows) {
	const bench = "/api/v1/bench"
	h.Handle(http.MethodPost, bench+"/noop", httpapi.WithSession(func(w http.ResponseWriter, _ *http.Request) error {
		httpapi.WriteBody(w, http.StatusOK, []byte("{}"))
		return nil
	}))
	b := &baselines{service, rows}
	h.Handle(http.MethodPost, bench+"/rows", httpapi.WithSession(b.hold(false)))
	h.Handle(http.MethodPost, bench+"/advisory", httpapi.WithSession(b.hold(true)))
}

type baselines struct {
	service *booking.Service
	rows    *baseline.Rows
}

func (b *baselines) hold(advisory bool) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
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
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		sale, err := b.service.Sale(ctx, req.Event)
		if err != nil {
			return explain(err)
		}
		if sale == nil {
			return explain(&booking.Refusal{Reason: booking.EventNotOnSale})
		}
		made, unknown := describe(sale.Event(), identity.FromContext(ctx).UserID, req.Seats)
		if len(unknown) > 0 {
			return explain(&booking.Refusal{Reason: booking.UnknownSeats, Seats: unknown})
		}
		taken, err := b.rows.Hold(ctx, made, advisory)
		if err == nil && len(taken) > 0 {
			err = &booking.Refusal{Reason: booking.SeatsTaken, Seats: taken}
		}
		if err != nil {
			return explain(err)
		}
		w.Header().Set("Location", "/api/v1/bookings/"+made.ID.String())
		return httpapi.WriteJSON(w, http.StatusCreated, present(made))
	}
}

// describe is the booking of seats as Hold would make it.
func describe(e *booking.Event, user uuid.UUID, seats []booking.SeatID) (b *booking.Booking, unknown []booking.SeatID) {
	now := time.Now().Truncate(time.Millisecond)
	b = &booking.Booking{
		ID: uuid.Must(uuid.NewV7()), Home: booking.BlockID{Event: e.ID(), Block: seats[0].Block}, UserID: user, EventName: e.Name,
		StartsAt: e.StartsAt, Status: booking.Held, Total: events.Money{Currency: e.Currency}, CreatedAt: now,
		ExpiresAt: now.Add(time.Duration(e.HoldSeconds) * time.Second),
	}
	for _, id := range seats {
		if !e.Has(id) {
			unknown = append(unknown, id)
			continue
		}
		seat := e.Describe(id)
		b.Seats = append(b.Seats, seat)
		b.Total.Amount += seat.Price
	}
	return b, unknown
}
