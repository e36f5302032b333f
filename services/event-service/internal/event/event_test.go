package event_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

var (
	starts = time.Date(2027, 3, 1, 20, 0, 0, 0, time.FixedZone("", 3600))
	ends   = time.Date(2027, 3, 1, 22, 0, 0, 0, time.UTC)
)

func definition(venue uuid.UUID) rest.NewEvent {
	return rest.NewEvent{
		Name: "Late Night Trio", Description: "Three sets.", VenueID: venue,
		StartsAt: starts, EndsAt: ends, TimeZone: "Europe/Vienna", Currency: "EUR",
		TicketTypes: []rest.NewTicketType{
			{ID: "front", Name: "Front", Category: "front", Price: 4500}, {Name: "Floor", Category: "floor"},
		},
		SaleStartsAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), SaleEndsAt: time.Date(2027, 3, 1, 19, 0, 0, 0, time.UTC),
	}
}

// fixture is a draft at a venue with seats and a standing floor.
func fixture(t *testing.T) (*event.Event, *event.Facts, []events.Block) {
	t.Helper()
	v, blocks := newVenue(t, plan([]rest.NewSection{section("s", 4)}, area("pit", 10)))
	facts := v.Facts()
	e, err := event.New(definition(v.ID), &facts, uuid.New(), uuid.New(), now)
	if err != nil {
		t.Fatal(err)
	}
	return e, &facts, blocks
}

func TestNewEventIsADraftWithDefaults(t *testing.T) {
	e, _, _ := fixture(t)
	if e.Status != event.Draft || e.Version != 1 || e.MaxSeatsPerBuyer != 8 || e.HoldSeconds != 600 {
		t.Errorf("got %+v", e)
	}
	if want := time.Date(2027, 3, 1, 19, 0, 0, 0, time.UTC); !e.StartsAt.Equal(want) || e.StartsAt.Location() != time.UTC {
		t.Errorf("starts at %v, want %v", e.StartsAt, want)
	}
	if e.TicketTypes[0].ID != "front" || len(e.TicketTypes[1].ID) != 36 {
		t.Errorf("ticket types %+v", e.TicketTypes)
	}
}

func TestQueueIsOffByDefault(t *testing.T) {
	e, venue, _ := fixture(t)
	off := rest.QueueSettings{Mode: rest.QueueModeOff, OpensBeforeSeconds: 1800, AdmissionSeconds: 600}
	if e.Queue != off {
		t.Errorf("a new event has %+v", e.Queue)
	}
	e.Status = event.SoldOut
	for name, tc := range map[string]struct{ set, want rest.QueueSettings }{
		"a mode": {
			rest.QueueSettings{Mode: rest.QueueModeAutomatic},
			rest.QueueSettings{Mode: rest.QueueModeAutomatic, OpensBeforeSeconds: 1800, AdmissionSeconds: 600},
		},
		"everything": {
			rest.QueueSettings{Mode: rest.QueueModeAlways, OpensBeforeSeconds: 60, AdmissionSeconds: 15},
			rest.QueueSettings{Mode: rest.QueueModeAlways, OpensBeforeSeconds: 60, AdmissionSeconds: 15},
		},
		"nothing": {rest.QueueSettings{}, off},
	} {
		t.Run(name, func(t *testing.T) {
			d := e.Definition()
			d.Queue = tc.set
			if err := e.Change(d, venue, now); err != nil {
				t.Fatal(err)
			}
			if e.Queue != tc.want || e.Definition().Queue != tc.want {
				t.Errorf("%+v of an event on sale became %+v", tc.set, e.Queue)
			}
		})
	}
}

func TestEventNamesEveryWrongField(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*rest.NewEvent)
		want   []string
	}{
		"blanks": {func(d *rest.NewEvent) { d.Name, d.TicketTypes[1].Name = " ", "\t" }, []string{"name required", "ticket_types[1].name required"}},
		"order of times": {
			func(d *rest.NewEvent) { d.EndsAt, d.SaleEndsAt = d.StartsAt, d.SaleStartsAt },
			[]string{"ends_at out_of_range", "sale_ends_at out_of_range"},
		},
		"a sale after the end":    {func(d *rest.NewEvent) { d.SaleEndsAt = ends.Add(time.Second) }, []string{"sale_ends_at out_of_range"}},
		"a start before 1970":     {func(d *rest.NewEvent) { d.StartsAt = time.Unix(-1, 0).UTC() }, []string{"starts_at invalid"}},
		"a time zone nobody has":  {func(d *rest.NewEvent) { d.TimeZone = "Moon/Tycho" }, []string{"time_zone invalid"}},
		"a small currency":        {func(d *rest.NewEvent) { d.Currency = "eur" }, []string{"currency invalid"}},
		"no currency":             {func(d *rest.NewEvent) { d.Currency = "XXX" }, []string{"currency invalid"}},
		"an unknown currency":     {func(d *rest.NewEvent) { d.Currency = "ZZZ" }, []string{"currency invalid"}},
		"a NUL":                   {func(d *rest.NewEvent) { d.Description = "a\x00b" }, []string{"description invalid"}},
		"a line break in a name":  {func(d *rest.NewEvent) { d.Name = "a\nb" }, []string{"name invalid"}},
		"a line break in a prose": {func(d *rest.NewEvent) { d.Description = "a\nb" }, nil},
		"ticket types": {func(d *rest.NewEvent) {
			d.TicketTypes = []rest.NewTicketType{
				{ID: "a", Name: "A", Category: "front"},
				{ID: "a", Name: "B", Category: "front"},
				{ID: "c", Name: "C", Category: "balcony"},
			}
		}, []string{"ticket_types[1].id duplicate", "ticket_types[1].category duplicate", "ticket_types[2].category unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, venue, _ := fixture(t)
			d := definition(venue.ID)
			tc.change(&d)
			_, err := event.New(d, venue, uuid.New(), uuid.New(), now)
			if diff := cmp.Diff(tc.want, wrong(t, err)); diff != "" {
				t.Error("wrong fields (-want +got):\n" + diff)
			}
		})
	}
	t.Run("an unknown venue", func(t *testing.T) {
		_, err := event.New(definition(uuid.New()), nil, uuid.New(), uuid.New(), now)
		if diff := cmp.Diff([]string{"venue_id unknown"}, wrong(t, err)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStatusDecidesAllowedChanges(t *testing.T) {
	afterEnd := time.Date(2027, 3, 1, 22, 0, 0, 0, time.UTC)
	afterStart := afterEnd.Add(-time.Hour)
	change := func(e *event.Event, at time.Time) error {
		d := e.Definition()
		d.Name = "Another"
		return e.Change(d, &e.Venue, at)
	}
	cancel := func(e *event.Event, at time.Time) error { _, err := e.Cancel("flood", at); return err }
	remove := func(e *event.Event, _ time.Time) error { return e.CheckDeletable() }
	for name, tc := range map[string]struct {
		status event.Status
		at     time.Time
		do     func(*event.Event, time.Time) error
		want   error
		after  event.Status
	}{
		"a draft is published":            {event.Draft, now, (*event.Event).Publish, nil, event.Published},
		"not after its start":             {event.Draft, afterStart, (*event.Event).Publish, event.ErrNotPublishable, event.Draft},
		"not twice":                       {event.Published, now, (*event.Event).Publish, event.ErrNotPublishable, event.Published},
		"not after its cancellation":      {event.Cancelled, now, (*event.Event).Publish, event.ErrNotPublishable, event.Cancelled},
		"a draft is changed":              {event.Draft, now, change, nil, event.Draft},
		"a published event is changed":    {event.Published, now, change, nil, event.Published},
		"a sold-out event is changed":     {event.SoldOut, afterStart, change, nil, event.SoldOut},
		"a past event is not changed":     {event.Published, afterEnd, change, event.ErrNotEditable, event.Past},
		"a cancelled one is not changed":  {event.Cancelled, now, change, event.ErrNotEditable, event.Cancelled},
		"a draft is not cancelled":        {event.Draft, now, cancel, event.ErrNotCancellable, event.Draft},
		"a published event is cancelled":  {event.Published, afterStart, cancel, nil, event.Cancelled},
		"a sold-out event is cancelled":   {event.SoldOut, now, cancel, nil, event.Cancelled},
		"a past event is not cancelled":   {event.SoldOut, afterEnd, cancel, event.ErrNotCancellable, event.Past},
		"a cancelled event stays so":      {event.Cancelled, now, cancel, nil, event.Cancelled},
		"a draft is deleted":              {event.Draft, now, remove, nil, event.Draft},
		"a published event isn't deleted": {event.Published, now, remove, event.ErrNotEditable, event.Published},
	} {
		t.Run(name, func(t *testing.T) {
			e, _, _ := fixture(t)
			e.Status = tc.status
			before := *e
			err := tc.do(e, tc.at)
			if got := e.StatusAt(tc.at); got != tc.after {
				t.Errorf("status %s, want %s", got, tc.after)
			}
			if tc.want == nil {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || err.Error() != tc.want.Error() || len(wrong(t, err)) == 0 {
				t.Errorf("got %v, want %v that names a field", err, tc.want)
			}
			if diff := cmp.Diff(before, *e); diff != "" {
				t.Error("the refused event changed:\n" + diff)
			}
		})
	}
}

func TestPublishedEventKeepsVenueCurrencyAndCategories(t *testing.T) {
	e, venue, _ := fixture(t)
	if err := e.Publish(now); err != nil {
		t.Fatal(err)
	}
	floor := e.TicketTypes[1].ID
	for name, tc := range map[string]struct {
		change func(*rest.NewEvent)
		venue  *event.Facts
		want   []string
	}{
		"everything": {func(d *rest.NewEvent) {
			d.VenueID, d.Currency = uuid.New(), "USD"
			d.TicketTypes = d.TicketTypes[:1]
		}, nil, []string{"venue_id not_editable", "currency not_editable", "ticket_types not_editable"}},
		"a ticket type's id": {func(d *rest.NewEvent) { d.TicketTypes[0].ID = "other" }, venue, []string{"ticket_types not_editable"}},
		"categories swapped": {func(d *rest.NewEvent) {
			d.TicketTypes[0].Category, d.TicketTypes[1].Category = "floor", "front"
		}, venue, []string{"ticket_types not_editable"}},
		"a start in the past":       {func(d *rest.NewEvent) { d.StartsAt = now.Add(-time.Hour) }, venue, []string{"starts_at in_the_past"}},
		"names, prices and the end": {func(d *rest.NewEvent) { d.EndsAt, d.TicketTypes[0].Price = ends.Add(time.Hour), 1 }, venue, nil},
		"a ticket type without its id": {func(d *rest.NewEvent) {
			d.TicketTypes[1].ID = ""
			d.TicketTypes[0], d.TicketTypes[1] = d.TicketTypes[1], d.TicketTypes[0]
		}, venue, nil},
	} {
		t.Run(name, func(t *testing.T) {
			changed := *e
			d := changed.Definition()
			tc.change(&d)
			err := changed.Change(d, tc.venue, now)
			if diff := cmp.Diff(tc.want, wrong(t, err)); diff != "" {
				t.Error("wrong fields (-want +got):\n" + diff)
			}
			if err != nil {
				return
			}
			if changed.Version != e.Version+1 {
				t.Errorf("version %d after %d", changed.Version, e.Version)
			}
			for _, tt := range changed.TicketTypes {
				if tt.Category == "floor" && tt.ID != floor {
					t.Errorf("the floor's ticket type became %s, was %s", tt.ID, floor)
				}
			}
		})
	}
}

func TestChangedMessageFitsItsSchema(t *testing.T) {
	e, _, blocks := fixture(t)
	e.Queue = rest.QueueSettings{Mode: rest.QueueModeAutomatic, OpensBeforeSeconds: 900, AdmissionSeconds: 300}
	if err := e.Publish(now); err != nil {
		t.Fatal(err)
	}
	queue := events.Queue{Mode: events.QueueAutomatic, OpensBeforeSeconds: 900, AdmissionSeconds: 300}
	check := func(want events.EventStatus) {
		t.Helper()
		m := e.Changed(blocks)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := events.Validate(events.TypeEventChanged, data); err != nil {
			t.Error(err)
		}
		if m.Status != want || m.Version != e.Version || len(m.Blocks) != len(blocks) || len(m.TicketTypes) != 2 ||
			m.Queue != queue {
			t.Errorf("got %+v, want status %s and %+v", m, want, queue)
		}
	}
	check(events.StatusPublished)
	e.Status = event.SoldOut
	check(events.StatusPublished)
	if changed, err := e.Cancel("", now); err != nil || !changed {
		t.Fatal(changed, err)
	}
	check(events.StatusCancelled)
	if changed, err := e.Cancel("again", now); err != nil || changed {
		t.Error("the second cancellation changed something", err)
	}
}

func TestPublishNamesEveryMissingField(t *testing.T) {
	e, _, _ := fixture(t)
	e.TicketTypes = nil
	err := e.Publish(time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC))
	if diff := cmp.Diff([]string{"starts_at in_the_past", "sale_ends_at in_the_past", "ticket_types required"}, wrong(t, err)); diff != "" {
		t.Error(diff)
	}
	if errors.Is(err, event.ErrNotEditable) {
		t.Error("the wrong error")
	}
}

func TestWordsIgnoreCaseAndAccents(t *testing.T) {
	got := event.Words("  Beyoncé’s \"Ångström\" rock-n-roll, 2027! ﬁn")
	want := []string{"beyonce", "s", "angstrom", "rock", "n", "roll", "2027", "fin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
