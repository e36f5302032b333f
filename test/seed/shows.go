package main

import (
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// show is an event and its venue.
type show struct {
	venue client.NewVenue
	event client.NewEvent
}

func shows(now time.Time) []show {
	theatre, club, arena := theatre(), club(), arena()
	on := func(days, hour int) time.Time {
		day := now.UTC().AddDate(0, 0, days)
		return time.Date(day.Year(), day.Month(), day.Day(), hour, 0, 0, 0, time.UTC)
	}
	event := func(name, description string, starts time.Time, types ...client.NewTicketType) client.NewEvent {
		return client.NewEvent{
			Name: name, Description: description, StartsAt: starts, EndsAt: starts.Add(3 * time.Hour), TimeZone: "Europe/Vienna", Currency: "EUR",
			TicketTypes: types, SaleStartsAt: now.UTC().Add(-time.Hour).Truncate(time.Second), SaleEndsAt: starts, MaxSeatsPerBuyer: 8, HoldSeconds: 600,
		}
	}
	seats := []client.NewTicketType{
		{ID: "premium", Name: "Premium", Category: "premium", Price: 8900},
		{ID: "stalls", Name: "Stalls", Category: "stalls", Price: 5900},
		{ID: "balcony", Name: "Balcony", Category: "balcony", Price: 3250},
	}
	return []show{
		{theatre, event("The Tempest", "Shakespeare's last island, with a small orchestra and a great deal of rain.", on(9, 18), seats...)},
		{theatre, event("An Evening of Nocturnes", "Field, Chopin, Fauré. One piano, no interval.", on(16, 18), seats...)},
		{club, event("Late Night Trio", "Three sets, until the last tram.", on(21, 20),
			client.NewTicketType{ID: "table", Name: "At a table", Category: "table", Price: 4500},
			client.NewTicketType{ID: "standing", Name: "Standing", Category: "standing", Price: 1900})},
		{arena, event("Northern Lights Tour", "The whole arena, one night.", on(60, 18),
			client.NewTicketType{ID: "lower", Name: "Lower tier", Category: "lower", Price: 14900},
			client.NewTicketType{ID: "middle", Name: "Middle tier", Category: "middle", Price: 9900},
			client.NewTicketType{ID: "upper", Name: "Upper tier", Category: "upper", Price: 5900})},
	}
}
