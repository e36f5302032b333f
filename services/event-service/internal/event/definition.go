package event

import (
	"fmt"
	"time"
	_ "time/tzdata" // time zones must not depend on the machine

	"github.com/google/uuid"
	"golang.org/x/text/currency"
)

// Limits of an event.
const (
	maxTicketTypes = 20
	// maxPrice keeps the total of a booking exact in JavaScript numbers.
	maxPrice = 100_000_000_000
)

// Definition is an event as described by an organiser. Times and ids are text,
// so that every invalid one can be reported.
type Definition struct {
	Name             string                 `json:"name"`
	Description      string                 `json:"description"`
	VenueID          string                 `json:"venue_id"`
	StartsAt         string                 `json:"starts_at"`
	EndsAt           string                 `json:"ends_at"`
	TimeZone         string                 `json:"time_zone"`
	Currency         string                 `json:"currency"`
	TicketTypes      []TicketTypeDefinition `json:"ticket_types"`
	SaleStartsAt     string                 `json:"sale_starts_at"`
	SaleEndsAt       string                 `json:"sale_ends_at"`
	MaxSeatsPerBuyer *int                   `json:"max_seats_per_buyer"`
	HoldSeconds      *int                   `json:"hold_seconds"`
}

// TicketTypeDefinition describes a ticket type. Without an id it keeps the id
// of the event's ticket type for the same category, or gets a new one.
type TicketTypeDefinition struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Price    *int64 `json:"price"`
}

// Definition returns the event in the form in which an organiser describes it.
func (e *Event) Definition() Definition {
	d := Definition{
		Name: e.Name, Description: e.Description, VenueID: e.Venue.ID.String(),
		StartsAt: e.StartsAt.Format(time.RFC3339Nano), EndsAt: e.EndsAt.Format(time.RFC3339Nano),
		TimeZone: e.TimeZone, Currency: e.Currency, TicketTypes: []TicketTypeDefinition{},
		SaleStartsAt: e.SaleStartsAt.Format(time.RFC3339Nano), SaleEndsAt: e.SaleEndsAt.Format(time.RFC3339Nano),
		MaxSeatsPerBuyer: &e.MaxSeatsPerBuyer, HoldSeconds: &e.HoldSeconds,
	}
	for _, t := range e.TicketTypes {
		d.TicketTypes = append(d.TicketTypes, TicketTypeDefinition{ID: t.ID, Name: t.Name, Category: t.Category, Price: &t.Price})
	}
	return d
}

// Venue returns the venue's id, or uuid.Nil if it is invalid.
func (d Definition) Venue() uuid.UUID {
	id, err := uuid.Parse(d.VenueID)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// apply sets the event's fields from the definition and records invalid ones in
// f.
func (d Definition) apply(e *Event, venue *Facts, f *faults) {
	e.Name = f.text("name", d.Name, 200)
	e.Description = f.prose("description", d.Description, 10_000)
	switch {
	case d.VenueID == "":
		f.add("venue_id", "required", "must be the id of a venue")
	case venue == nil:
		f.add("venue_id", "unknown", "is not the id of a venue")
	default:
		e.Venue = *venue
	}
	e.StartsAt, e.EndsAt = f.time("starts_at", d.StartsAt), f.time("ends_at", d.EndsAt)
	f.order("ends_at", e.StartsAt, e.EndsAt, "must be after starts_at")
	f.zone("time_zone", d.TimeZone)
	e.TimeZone = d.TimeZone
	f.currency("currency", d.Currency)
	e.Currency = d.Currency
	e.TicketTypes = d.ticketTypes(e.TicketTypes, venue, f)
	e.SaleStartsAt, e.SaleEndsAt = f.time("sale_starts_at", d.SaleStartsAt), f.time("sale_ends_at", d.SaleEndsAt)
	f.order("sale_ends_at", e.SaleStartsAt, e.SaleEndsAt, "must be after sale_starts_at")
	if !e.EndsAt.IsZero() && e.SaleEndsAt.After(e.EndsAt) {
		f.add("sale_ends_at", "out_of_range", "must not be after ends_at")
	}
	e.MaxSeatsPerBuyer = f.count("max_seats_per_buyer", d.MaxSeatsPerBuyer, 1, 50, 8)
	e.HoldSeconds = f.count("hold_seconds", d.HoldSeconds, 5, 3600, 600)
}

func (d Definition) ticketTypes(old []TicketType, venue *Facts, f *faults) []TicketType {
	if d.TicketTypes == nil {
		f.add("ticket_types", "required", "must be a list, if an empty one")
	}
	if len(d.TicketTypes) > maxTicketTypes {
		f.add("ticket_types", "too_many", fmt.Sprintf("must be at most %d", maxTicketTypes))
		return nil
	}
	kept := map[string]string{}
	for _, t := range old {
		kept[t.Category] = t.ID
	}
	out := make([]TicketType, len(d.TicketTypes))
	ids, categories := map[string]bool{}, map[string]bool{}
	for i, in := range d.TicketTypes {
		path := fmt.Sprintf("ticket_types[%d]", i)
		t := TicketType{ID: in.ID, Category: in.Category, Name: f.text(path+".name", in.Name, 100)}
		if t.ID == "" {
			t.ID = kept[t.Category]
		}
		if t.ID == "" {
			t.ID = uuid.NewString()
		}
		switch {
		case !isSlug(t.ID, 36):
			f.add(path+".id", "invalid", "must be 1 to 36 of the characters A-Z, a-z, 0-9, _ and -")
		case ids[t.ID]:
			f.add(path+".id", "duplicate", "another ticket type has this id")
		}
		ids[t.ID] = true
		switch {
		case t.Category == "":
			f.add(path+".category", "required", "must be one of the venue's categories")
		case venue != nil && venue.Kinds[t.Category] == "":
			f.add(path+".category", "unknown", "is not one of the venue's categories")
		case categories[t.Category]:
			f.add(path+".category", "duplicate", "another ticket type has this category")
		}
		categories[t.Category] = true
		switch {
		case in.Price == nil:
			f.add(path+".price", "required", "must be an amount in minor units")
		case *in.Price < 0 || *in.Price > maxPrice:
			f.add(path+".price", "out_of_range", fmt.Sprintf("must be from 0 to %d", int64(maxPrice)))
		default:
			t.Price = *in.Price
		}
		out[i] = t
	}
	return out
}

// order checks that the second of two given times is after the first.
func (f *faults) order(field string, first, second time.Time, message string) {
	if !first.IsZero() && !second.IsZero() && !second.After(first) {
		f.add(field, "out_of_range", message)
	}
}

// currency checks an ISO 4217 code of a currency that can be paid in.
func (f *faults) currency(field, code string) {
	unit, err := currency.ParseISO(code)
	// ParseISO also accepts lower case, XXX (none) and XTS (testing).
	if err != nil || unit.String() != code || unit == currency.XXX || unit == currency.XTS {
		f.add(field, "invalid", "must be an ISO 4217 currency, such as EUR")
	}
}
