package event

import (
	"cmp"
	"fmt"
	"time"
	_ "time/tzdata" // time zones must not depend on the machine

	"github.com/google/uuid"
	"golang.org/x/text/currency"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

// Definition returns the event in the form in which an organiser describes it.
func (e *Event) Definition() rest.NewEvent {
	d := rest.NewEvent{
		Name: e.Name, Description: e.Description, VenueID: e.Venue.ID, StartsAt: e.StartsAt, EndsAt: e.EndsAt,
		TimeZone: e.TimeZone, Currency: e.Currency, TicketTypes: []rest.NewTicketType{},
		SaleStartsAt: e.SaleStartsAt, SaleEndsAt: e.SaleEndsAt, MaxSeatsPerBuyer: e.MaxSeatsPerBuyer, HoldSeconds: e.HoldSeconds,
		Queue: e.Queue,
	}
	for _, t := range e.TicketTypes {
		d.TicketTypes = append(d.TicketTypes, rest.NewTicketType{ID: t.ID, Name: t.Name, Category: t.Category, Price: t.Price})
	}
	return d
}

// apply sets the event's fields from a definition that matches the contract, and
// records in f what breaks a rule that the contract does not have.
func (e *Event) apply(d rest.NewEvent, venue *Facts, f *fieldErrors) {
	e.Name = f.text("name", d.Name)
	e.Description = d.Description
	f.prose("description", d.Description)
	if venue == nil {
		f.add("venue_id", "unknown", "is not the id of a venue")
	} else {
		e.Venue = *venue
	}
	e.StartsAt, e.EndsAt = f.time("starts_at", d.StartsAt), f.time("ends_at", d.EndsAt)
	f.order("ends_at", e.StartsAt, e.EndsAt, "must be after starts_at")
	f.zone("time_zone", d.TimeZone)
	e.TimeZone = d.TimeZone
	f.currency("currency", d.Currency)
	e.Currency = d.Currency
	e.TicketTypes = ticketTypes(d.TicketTypes, e.TicketTypes, venue, f)
	e.SaleStartsAt, e.SaleEndsAt = f.time("sale_starts_at", d.SaleStartsAt), f.time("sale_ends_at", d.SaleEndsAt)
	f.order("sale_ends_at", e.SaleStartsAt, e.SaleEndsAt, "must be after sale_starts_at")
	if !e.EndsAt.IsZero() && e.SaleEndsAt.After(e.EndsAt) {
		f.add("sale_ends_at", "out_of_range", "must not be after ends_at")
	}
	e.MaxSeatsPerBuyer, e.HoldSeconds = cmp.Or(d.MaxSeatsPerBuyer, 8), cmp.Or(d.HoldSeconds, 600)
	e.Queue = rest.QueueSettings{
		Mode:               cmp.Or(d.Queue.Mode, rest.QueueModeOff),
		OpensBeforeSeconds: cmp.Or(d.Queue.OpensBeforeSeconds, 1800),
		AdmissionSeconds:   cmp.Or(d.Queue.AdmissionSeconds, 600),
	}
}

// ticketTypes returns the ticket types described. One without an id keeps the
// id of the old ticket type for the same category, or gets a new one.
func ticketTypes(described []rest.NewTicketType, old []TicketType, venue *Facts, f *fieldErrors) []TicketType {
	kept := map[string]string{}
	for _, t := range old {
		kept[t.Category] = t.ID
	}
	out := make([]TicketType, len(described))
	ids, categories := map[string]bool{}, map[string]bool{}
	for i, in := range described {
		path := fmt.Sprintf("ticket_types[%d]", i)
		t := TicketType{
			ID: cmp.Or(in.ID, kept[in.Category], uuid.NewString()), Name: f.text(path+".name", in.Name), Category: in.Category, Price: in.Price,
		}
		if ids[t.ID] {
			f.add(path+".id", "duplicate", "another ticket type has this id")
		}
		ids[t.ID] = true
		if venue != nil && venue.Kinds[t.Category] == "" {
			f.add(path+".category", "unknown", "is not one of the venue's categories")
		} else if categories[t.Category] {
			f.add(path+".category", "duplicate", "another ticket type has this category")
		}
		categories[t.Category] = true
		out[i] = t
	}
	return out
}

// order checks that the second of two given times is after the first.
func (f *fieldErrors) order(field string, first, second time.Time, message string) {
	if !first.IsZero() && !second.IsZero() && !second.After(first) {
		f.add(field, "out_of_range", message)
	}
}

// currency checks an ISO 4217 code of a currency that can be paid in.
func (f *fieldErrors) currency(field, code string) {
	unit, err := currency.ParseISO(code)
	// ParseISO also accepts lower case, XXX (none) and XTS (testing).
	if err != nil || unit.String() != code || unit == currency.XXX || unit == currency.XTS {
		f.add(field, "invalid", "must be an ISO 4217 currency, such as EUR")
	}
}
