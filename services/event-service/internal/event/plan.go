package event

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// Limits of a venue. Those of single fields are also in openapi.yaml.
const (
	maxSeats      = 120_000
	maxCategories = 20
	maxSections   = 500
	maxAreas      = 500
	maxCapacity   = 100_000
	maxCoordinate = 1e6
	// maxBlocksBytes limits the seat plan in the messages about its events:
	// with the rest of the event, a message stays below Kafka's limit of 1 MB.
	maxBlocksBytes = 900_000
)

// MaxPlanCommas exceeds the number of commas in any valid plan's JSON: 6 per
// seat and 3 per row, with no more rows than seats.
const MaxPlanCommas = 10 * maxSeats

// ErrTooManySeats is the problem for a plan beyond the limit (422).
var ErrTooManySeats = problem.Invalid(tooManySeats)

var tooManySeats = problem.Field{
	Field: "sections", Code: "too_many", Message: fmt.Sprintf("the venue must have at most %d seats in all, areas included", maxSeats),
}

// NewVenue returns the venue that a plan describes, with its seats cut into
// blocks, and the blocks in booking-service's format. It also checks what the
// contract says about plans, since only a check that stops after a hundred wrong
// fields fits a plan of 120,000 seats. Its error is validation_failed.
func NewVenue(p rest.NewVenue, id, owner uuid.UUID, now time.Time) (*Venue, []events.Block, error) {
	c := planCheck{categories: map[string]bool{}, ids: map[string]bool{}}
	v := &Venue{rest.Venue{
		ID: id, OwnerID: owner, CreatedAt: now.UTC().Truncate(time.Microsecond),
		Name: c.line("name", p.Name, 200), City: c.line("city", p.City, 100), TimeZone: p.TimeZone,
		Categories: []rest.Category{}, Sections: []rest.Section{}, Areas: []rest.Area{},
	}}
	c.zone("time_zone", p.TimeZone)
	c.limits(p)
	v.Categories = append(v.Categories, c.checkCategories(p.Categories)...)
	for i := range p.Sections {
		if c.full() {
			break
		}
		v.Sections = append(v.Sections, c.section(fmt.Sprintf("sections[%d]", i), &p.Sections[i]))
	}
	for i := range p.Areas {
		v.Areas = append(v.Areas, c.area(fmt.Sprintf("areas[%d]", i), &p.Areas[i]))
	}
	if err := c.err(); err != nil {
		return nil, nil, err
	}
	blocks := v.split()
	encoded, err := json.Marshal(blocks)
	if err != nil {
		return nil, nil, fmt.Errorf("encode blocks: %w", err)
	}
	if len(encoded) > maxBlocksBytes {
		c.add("sections", "too_complex", "the seat plan is too irregular: use longer rows, consecutive seat numbers or shorter names")
		return nil, nil, c.err()
	}
	return v, blocks, nil
}

// planCheck validates a plan.
type planCheck struct {
	fieldErrors
	categories map[string]bool
	ids        map[string]bool // ids of sections and areas
}

func (c *planCheck) limits(p rest.NewVenue) {
	if len(p.Categories) == 0 {
		c.add("categories", "required", "must have at least one category")
	}
	if len(p.Categories) > maxCategories {
		c.add("categories", "too_many", fmt.Sprintf("must be at most %d", maxCategories))
	}
	if len(p.Sections)+len(p.Areas) == 0 {
		c.add("sections", "required", "must have at least one section or area")
	}
	if len(p.Sections) > maxSections {
		c.add("sections", "too_many", fmt.Sprintf("must be at most %d", maxSections))
	}
	if len(p.Areas) > maxAreas {
		c.add("areas", "too_many", fmt.Sprintf("must be at most %d", maxAreas))
	}
	seats := 0
	for _, s := range p.Sections {
		for _, r := range s.Rows {
			seats += len(r.Seats)
		}
	}
	for _, a := range p.Areas {
		seats += min(max(a.Capacity, 0), maxCapacity)
	}
	if seats > maxSeats {
		c.add(tooManySeats.Field, tooManySeats.Code, tooManySeats.Message)
	}
}

func (c *planCheck) checkCategories(in []rest.Category) []rest.Category {
	out := make([]rest.Category, len(in))
	for i, cat := range in {
		path := fmt.Sprintf("categories[%d]", i)
		c.slug(path+".id", cat.ID, c.categories)
		out[i] = rest.Category{ID: cat.ID, Name: c.line(path+".name", cat.Name, 100)}
	}
	return out
}

func (c *planCheck) section(path string, in *rest.NewSection) rest.Section {
	c.slug(path+".id", in.ID, c.ids)
	out := rest.Section{ID: in.ID, Name: c.line(path+".name", in.Name, 100), Rows: make([]rest.Row, len(in.Rows))}
	if len(in.Rows) == 0 {
		c.add(path+".rows", "required", "must have at least one row")
	}
	labels := make(map[string]bool, len(in.Rows))
	for i := range in.Rows {
		if c.full() {
			break
		}
		rowPath := fmt.Sprintf("%s.rows[%d]", path, i)
		out.Rows[i] = c.row(rowPath, &in.Rows[i])
		out.SeatCount += len(in.Rows[i].Seats)
		if label := out.Rows[i].Label; label != "" && labels[label] {
			c.add(rowPath+".label", "duplicate", "another row of the section has this label")
		}
		labels[out.Rows[i].Label] = true
	}
	return out
}

func (c *planCheck) row(path string, in *rest.NewRow) rest.Row {
	out := rest.Row{Label: c.line(path+".label", in.Label, 16), Category: in.Category, Seats: make([]rest.Seat, len(in.Seats))}
	if len(in.Seats) == 0 {
		c.add(path+".seats", "required", "must have at least one seat")
	}
	if in.Category != "" && !c.categories[in.Category] {
		c.add(path+".category", "unknown", "is not one of the venue's categories")
	}
	numbers := make(map[string]bool, len(in.Seats))
	for i := range in.Seats {
		if c.full() {
			break
		}
		before := len(c.fieldErrors)
		seat := &in.Seats[i]
		out.Seats[i] = c.seat(seat, in.Category)
		if number := out.Seats[i].Number; number != "" && numbers[number] {
			c.add("number", "duplicate", "another seat of the row has this number")
		}
		numbers[out.Seats[i].Number] = true
		// Paths are built only for invalid seats: there may be 120,000 valid
		// ones.
		for j := before; j < len(c.fieldErrors); j++ {
			c.fieldErrors[j].Field = fmt.Sprintf("%s.seats[%d].%s", path, i, c.fieldErrors[j].Field)
		}
	}
	return out
}

func (c *planCheck) seat(in *rest.NewSeat, rowCategory string) rest.Seat {
	category := in.Category
	switch {
	case category != "" && !c.categories[category]:
		c.add("category", "unknown", "is not one of the venue's categories")
	case category == "" && rowCategory == "":
		c.add("category", "required", "must be set here or on the row")
	case category == "":
		category = rowCategory
	}
	return rest.Seat{
		Number: c.line("number", in.Number, 16), Category: category, Accessible: in.Accessible, Blocked: in.Blocked,
		X: c.coordinate("x", in.X), Y: c.coordinate("y", in.Y),
	}
}

func (c *planCheck) area(path string, in *rest.NewArea) rest.Area {
	c.slug(path+".id", in.ID, c.ids)
	switch {
	case in.Category == "":
		c.add(path+".category", "required", "must be one of the venue's categories")
	case !c.categories[in.Category]:
		c.add(path+".category", "unknown", "is not one of the venue's categories")
	}
	return rest.Area{
		ID: in.ID, Name: c.line(path+".name", in.Name, 100), Category: in.Category,
		Capacity: c.capacity(path+".capacity", in.Capacity), SeatCount: in.Capacity,
		X: c.coordinate(path+".x", in.X), Y: c.coordinate(path+".y", in.Y),
	}
}

func (c *planCheck) coordinate(path string, v *float64) float64 {
	if v == nil {
		c.add(path, "required", "must be a number")
		return 0
	}
	if math.IsNaN(*v) || math.Abs(*v) > maxCoordinate {
		c.add(path, "out_of_range", "must be from -1000000 to 1000000")
	}
	return *v
}

func (c *planCheck) capacity(path string, n int) int {
	if n < 1 || n > maxCapacity {
		c.add(path, "out_of_range", fmt.Sprintf("must be from 1 to %d", maxCapacity))
	}
	return n
}

// slug checks an id and that it is the first of its kind.
func (c *planCheck) slug(path, id string, taken map[string]bool) {
	switch {
	case !isSlug(id):
		c.add(path, "invalid", "must be 1 to 32 of the characters A-Z, a-z, 0-9, _ and -")
	case taken[id]:
		c.add(path, "duplicate", "must be unique")
	}
	taken[id] = true
}

// isSlug reports whether s is 1 to 32 of A–Z, a–z, 0–9, _ and -.
func isSlug(s string) bool {
	if len(s) < 1 || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
