package httpapi

import (
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

// eventView is the API's representation of an event.
type eventView struct {
	ID               uuid.UUID        `json:"id"`
	Name             string           `json:"name"`
	Description      string           `json:"description"`
	Venue            venueSummary     `json:"venue"`
	StartsAt         time.Time        `json:"starts_at"`
	EndsAt           time.Time        `json:"ends_at"`
	TimeZone         string           `json:"time_zone"`
	Currency         string           `json:"currency"`
	TicketTypes      []ticketTypeView `json:"ticket_types"`
	SaleStartsAt     time.Time        `json:"sale_starts_at"`
	SaleEndsAt       time.Time        `json:"sale_ends_at"`
	MaxSeatsPerBuyer int              `json:"max_seats_per_buyer"`
	HoldSeconds      int              `json:"hold_seconds"`
	Status           event.Status     `json:"status"`
	CancelReason     string           `json:"cancel_reason,omitempty"`
	Version          int64            `json:"version"`
	OrganizerID      uuid.UUID        `json:"organizer_id"`
	CreatedAt        time.Time        `json:"created_at"`
	UpdatedAt        time.Time        `json:"updated_at"`
}

type venueSummary struct {
	ID       uuid.UUID `json:"id"`
	Name     string    `json:"name"`
	City     string    `json:"city"`
	TimeZone string    `json:"time_zone"`
}

type ticketTypeView struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Category string       `json:"category"`
	Kind     event.Kind   `json:"kind"`
	Price    events.Money `json:"price"`
}

func view(e *event.Event, now time.Time) eventView {
	v := eventView{
		ID: e.ID, Name: e.Name, Description: e.Description,
		Venue:    venueSummary{ID: e.Venue.ID, Name: e.Venue.Name, City: e.Venue.City, TimeZone: e.Venue.TimeZone},
		StartsAt: e.StartsAt, EndsAt: e.EndsAt, TimeZone: e.TimeZone, Currency: e.Currency,
		TicketTypes:  make([]ticketTypeView, len(e.TicketTypes)),
		SaleStartsAt: e.SaleStartsAt, SaleEndsAt: e.SaleEndsAt, MaxSeatsPerBuyer: e.MaxSeatsPerBuyer, HoldSeconds: e.HoldSeconds,
		Status: e.StatusAt(now), CancelReason: e.CancelReason, Version: e.Version, OrganizerID: e.OrganizerID,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	for i, t := range e.TicketTypes {
		v.TicketTypes[i] = ticketTypeView{
			ID: t.ID, Name: t.Name, Category: t.Category, Kind: e.Venue.Kinds[t.Category],
			Price: events.Money{Amount: t.Price, Currency: e.Currency},
		}
	}
	return v
}
