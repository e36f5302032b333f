package httpapi

import (
	"time"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

func view(e *event.Event, now time.Time) rest.Event {
	v := rest.Event{
		ID: e.ID, Name: e.Name, Description: e.Description,
		Venue:    rest.VenueSummary{ID: e.Venue.ID, Name: e.Venue.Name, City: e.Venue.City, TimeZone: e.Venue.TimeZone},
		StartsAt: e.StartsAt, EndsAt: e.EndsAt, TimeZone: e.TimeZone, Currency: e.Currency,
		TicketTypes:  make([]rest.TicketType, len(e.TicketTypes)),
		SaleStartsAt: e.SaleStartsAt, SaleEndsAt: e.SaleEndsAt, MaxSeatsPerBuyer: e.MaxSeatsPerBuyer, HoldSeconds: e.HoldSeconds,
		Queue:  e.Queue,
		Status: rest.EventStatus(e.StatusAt(now)), CancelReason: e.CancelReason, Version: e.Version, OrganizerID: e.OrganizerID,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	for i, t := range e.TicketTypes {
		v.TicketTypes[i] = rest.TicketType{
			ID: t.ID, Name: t.Name, Category: t.Category, Kind: rest.SeatingKind(e.Venue.Kinds[t.Category]),
			Price: rest.Money{Amount: t.Price, Currency: e.Currency},
		}
	}
	return v
}
