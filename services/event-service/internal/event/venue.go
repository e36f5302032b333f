// Package event is the domain of event-service: venues with their seat plans,
// and events from draft to end.
package event

import (
	"time"

	"github.com/google/uuid"
)

// Venue is a place with a seat plan. It never changes.
type Venue struct {
	ID         uuid.UUID  `json:"id"`
	OwnerID    uuid.UUID  `json:"owner_id"`
	Name       string     `json:"name"`
	City       string     `json:"city"`
	TimeZone   string     `json:"time_zone"`
	Categories []Category `json:"categories"`
	Sections   []Section  `json:"sections"`
	Areas      []Area     `json:"areas"`
	SeatCount  int        `json:"seat_count"`
	CreatedAt  time.Time  `json:"created_at"`
}

// Category is a price category.
type Category struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// VenueSummary is a venue as shown in lists.
type VenueSummary struct {
	ID         uuid.UUID  `json:"id"`
	Name       string     `json:"name"`
	City       string     `json:"city"`
	TimeZone   string     `json:"time_zone"`
	SeatCount  int        `json:"seat_count"`
	Categories []Category `json:"categories"`
	CreatedAt  time.Time  `json:"created_at"`
}

// Section is a part of the venue with numbered seats.
type Section struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Blocks    []string `json:"blocks"`
	SeatCount int      `json:"seat_count"`
	Rows      []Row    `json:"rows"`
}

// Row is a row of neighbouring seats.
type Row struct {
	Label    string `json:"label"`
	Category string `json:"category,omitempty"`
	Seats    []Seat `json:"seats"`
}

// Seat is one seat. ID is "<block>-<index in the block>". X and Y are its
// position on the plan, in units of the organiser's choice.
type Seat struct {
	ID         string  `json:"id"`
	Number     string  `json:"number"`
	X          float64 `json:"x"`
	Y          float64 `json:"y"`
	Category   string  `json:"category"`
	Accessible bool    `json:"accessible,omitempty"`
	Blocked    bool    `json:"blocked,omitempty"`
}

// Area is a general-admission area with a capacity and no numbered seats.
type Area struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Category  string   `json:"category"`
	Capacity  int      `json:"capacity"`
	X         float64  `json:"x"`
	Y         float64  `json:"y"`
	Blocks    []string `json:"blocks"`
	SeatCount int      `json:"seat_count"`
}

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
