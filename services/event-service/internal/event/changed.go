package event

import "github.com/frontrow-tickets/frontrow/api/events"

// Changed returns the message that describes the event's current state to the
// other services; blocks are those of its venue. A sold-out event is sent as on
// sale: the other services know the seat counts best.
func (e *Event) Changed(blocks []events.Block) events.EventChanged {
	m := events.EventChanged{
		EventID: e.ID, Version: e.Version, Status: events.StatusPublished, OrganizerID: e.OrganizerID,
		Name: e.Name, VenueName: e.Venue.Name, TimeZone: e.TimeZone, StartsAt: e.StartsAt, EndsAt: e.EndsAt,
		Currency: e.Currency, SaleStartsAt: e.SaleStartsAt, SaleEndsAt: e.SaleEndsAt,
		MaxSeatsPerBuyer: e.MaxSeatsPerBuyer, HoldSeconds: e.HoldSeconds, Blocks: blocks,
		Queue: events.Queue{
			Mode:               events.QueueMode(e.Queue.Mode),
			OpensBeforeSeconds: e.Queue.OpensBeforeSeconds,
			AdmissionSeconds:   e.Queue.AdmissionSeconds,
		},
	}
	if e.Status == Cancelled {
		m.Status = events.StatusCancelled
	}
	for _, t := range e.TicketTypes {
		m.TicketTypes = append(m.TicketTypes, events.TicketType{ID: t.ID, Name: t.Name, Category: t.Category, Price: t.Price})
	}
	return m
}
