package event

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// Status is the state of an event.
type Status string

// Statuses. An event is stored with one of the first four.
const (
	Draft     Status = "draft"
	Published Status = "published"
	SoldOut   Status = "sold_out"
	Cancelled Status = "cancelled"
	// Past is shown for a published or sold-out event after it has ended.
	Past Status = "past"
)

// Event is an event that sells tickets.
type Event struct {
	ID               uuid.UUID
	OrganizerID      uuid.UUID
	Venue            Facts
	Name             string
	Description      string
	StartsAt         time.Time
	EndsAt           time.Time
	TimeZone         string
	Currency         string // ISO 4217
	TicketTypes      []TicketType
	SaleStartsAt     time.Time
	SaleEndsAt       time.Time
	MaxSeatsPerBuyer int
	HoldSeconds      int
	Queue            rest.QueueSettings
	// Status is the stored status; StatusAt returns the status shown.
	Status       Status
	CancelReason string
	// Version counts changes, starting at 1.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// TicketType is the price of one category of the venue.
type TicketType struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category"`
	// Price in minor units of the event's currency.
	Price int64 `json:"price"`
}

// Problems for changes that the event's status does not allow (409).
var (
	ErrNotEditable    = problem.New(http.StatusConflict, problem.CodeEventNotEditable, "This event can no longer be changed in this way. See errors.")
	ErrNotPublishable = problem.New(http.StatusConflict, problem.CodeEventNotPublishable, "This event can't be published yet. See errors.")
	ErrNotCancellable = problem.New(http.StatusConflict, problem.CodeEventNotCancellable, "Only an event on sale can be cancelled.")
)

// StatusAt returns the event's status at a time: a published or sold-out event
// is past once it has ended.
func (e *Event) StatusAt(now time.Time) Status {
	if (e.Status == Published || e.Status == SoldOut) && !now.Before(e.EndsAt) {
		return Past
	}
	return e.Status
}

// New returns the draft that d describes. venue is the venue with the id in d,
// or nil if there is none. The error is validation_failed and names every
// invalid field.
func New(d rest.NewEvent, venue *Facts, id, organizer uuid.UUID, now time.Time) (*Event, error) {
	now = now.UTC().Truncate(time.Microsecond)
	e := &Event{ID: id, OrganizerID: organizer, Status: Draft, Version: 1, CreatedAt: now, UpdatedAt: now}
	var f fieldErrors
	e.apply(d, venue, &f)
	if err := f.err(); err != nil {
		return nil, err
	}
	return e, nil
}

// Change updates the event to match d. venue is d's venue, or nil if there is
// none. Every field of a draft may change. An event on sale keeps its venue,
// currency and categories for sale, and a cancelled or past event does not
// change at all: ErrNotEditable, whose fields name what was refused. Invalid
// fields: validation_failed. After an error the event is unchanged.
func (e *Event) Change(d rest.NewEvent, venue *Facts, now time.Time) error {
	status := e.StatusAt(now)
	if status == Cancelled || status == Past {
		return refuse(ErrNotEditable, problem.Field{Field: "status", Code: string(status), Message: "the event is " + string(status)})
	}
	changed := *e
	var f fieldErrors
	changed.apply(d, venue, &f)
	if status != Draft {
		var refused fieldErrors
		changed.checkKept(e, d, &refused)
		if len(refused) > 0 {
			return refuse(ErrNotEditable, refused...)
		}
		if !changed.StartsAt.Equal(e.StartsAt) && !changed.StartsAt.After(now) {
			f.add("starts_at", "in_the_past", "must be in the future")
		}
	}
	if err := f.err(); err != nil {
		return err
	}
	changed.touch(now)
	*e = changed
	return nil
}

// checkKept reports changes that an event on sale does not allow.
func (e *Event) checkKept(old *Event, d rest.NewEvent, f *fieldErrors) {
	const message = "can't change once the event is published"
	if d.VenueID != old.Venue.ID {
		f.add("venue_id", "not_editable", message)
	}
	if e.Currency != old.Currency {
		f.add("currency", "not_editable", message)
	}
	kept := len(e.TicketTypes) == len(old.TicketTypes)
	ids := map[string]string{}
	for _, t := range old.TicketTypes {
		ids[t.Category] = t.ID
	}
	for _, t := range e.TicketTypes {
		kept = kept && ids[t.Category] == t.ID
	}
	if !kept {
		f.add("ticket_types", "not_editable", "their ids and categories "+message)
	}
}

// Publish puts a draft on sale. Error: ErrNotPublishable, whose fields say why.
func (e *Event) Publish(now time.Time) error {
	var f fieldErrors
	if e.Status != Draft {
		f.add("status", string(e.StatusAt(now)), "only a draft can be published")
		return refuse(ErrNotPublishable, f...)
	}
	if !e.StartsAt.After(now) {
		f.add("starts_at", "in_the_past", "must be in the future")
	}
	if !e.SaleEndsAt.After(now) {
		f.add("sale_ends_at", "in_the_past", "must be in the future")
	}
	if len(e.TicketTypes) == 0 {
		f.add("ticket_types", "required", "must have at least one ticket type")
	}
	if len(f) > 0 {
		return refuse(ErrNotPublishable, f...)
	}
	e.Status = Published
	e.touch(now)
	return nil
}

// Cancel takes an event off sale permanently and reports whether that changed
// anything: cancelling twice has no effect. Errors: ErrNotCancellable for
// drafts and past events, validation_failed for the reason.
func (e *Event) Cancel(reason string, now time.Time) (changed bool, err error) {
	var f fieldErrors
	f.prose("reason", reason)
	if err := f.err(); err != nil {
		return false, err
	}
	switch status := e.StatusAt(now); status {
	case Published, SoldOut:
	case Cancelled:
		return false, nil
	default:
		return false, refuse(ErrNotCancellable, problem.Field{Field: "status", Code: string(status), Message: "the event is " + string(status)})
	}
	e.Status, e.CancelReason = Cancelled, reason
	e.touch(now)
	return true, nil
}

// CheckDeletable returns ErrNotEditable unless the event is a draft.
func (e *Event) CheckDeletable() error {
	if e.Status != Draft {
		return refuse(ErrNotEditable, problem.Field{Field: "status", Code: string(e.Status), Message: "only a draft can be deleted"})
	}
	return nil
}

func (e *Event) touch(now time.Time) {
	e.Version++
	e.UpdatedAt = now.UTC().Truncate(time.Microsecond)
}

func refuse(because *problem.Error, fields ...problem.Field) error {
	p := *because
	p.Fields = fields
	return &p
}
