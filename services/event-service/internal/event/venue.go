// Package event is the domain of event-service: venues with their seat plans,
// and events from draft to end.
package event

import (
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

// Venue is a place with a seat plan, as the API shows it. It never changes.
type Venue struct{ rest.Venue }

// Kind is what a category sells.
type Kind string

// Kinds of a category.
const (
	Seated           Kind = "seated"
	GeneralAdmission Kind = "general_admission"
	Mixed            Kind = "mixed"
)

// Facts are the properties of a venue that an event depends on.
type Facts struct {
	ID       uuid.UUID
	Name     string
	City     string
	TimeZone string
	// Kinds maps the venue's category ids to kinds.
	Kinds map[string]Kind
}

// Facts returns the properties that an event at this venue depends on. An empty
// category counts as seated.
func (v *Venue) Facts() Facts {
	f := Facts{ID: v.ID, Name: v.Name, City: v.City, TimeZone: v.TimeZone, Kinds: map[string]Kind{}}
	seated := map[string]bool{}
	for _, s := range v.Sections {
		for _, r := range s.Rows {
			for _, seat := range r.Seats {
				seated[seat.Category] = true
			}
		}
	}
	for _, c := range v.Categories {
		f.Kinds[c.ID] = Seated
	}
	for _, a := range v.Areas {
		f.Kinds[a.Category] = GeneralAdmission
		if seated[a.Category] {
			f.Kinds[a.Category] = Mixed
		}
	}
	return f
}
