package event_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

func ref[T any](v T) *T { return &v }

func definition(venue uuid.UUID) event.Definition {
	return event.Definition{
		Name: "Late Night Trio", Description: "Three sets.", VenueID: venue.String(),
		StartsAt: "2027-03-01T20:00:00+01:00", EndsAt: "2027-03-01T22:00:00Z", TimeZone: "Europe/Vienna", Currency: "EUR",
		TicketTypes: []event.TicketTypeDefinition{
			{ID: "front", Name: "Front", Category: "front", Price: ref(int64(4500))}, {Name: "Floor", Category: "floor", Price: ref(int64(0))},
		},
		SaleStartsAt: "2027-01-01T00:00:00Z", SaleEndsAt: "2027-03-01T19:00:00Z",
	}
}

// fixture is a draft at a venue with seats and a standing floor.
func fixture(t *testing.T) (*event.Event, *event.Facts, []events.Block) {
	t.Helper()
	v, blocks := newVenue(t, plan([]event.PlanSection{section("s", 4)}, area("pit", 10)))
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

func TestEventNamesEveryWrongField(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*event.Definition)
		want   []string
	}{
		"nothing": {func(d *event.Definition) { *d = event.Definition{} }, []string{
			"name required", "venue_id required", "starts_at required", "ends_at required", "time_zone required", "currency invalid",
			"ticket_types required", "sale_starts_at required", "sale_ends_at required",
		}},
		"times": {func(d *event.Definition) {
			d.StartsAt, d.EndsAt, d.SaleStartsAt, d.SaleEndsAt = "tomorrow", "2027-13-01T00:00:00Z", "2027-01-01", "10000-01-01T00:00:00Z"
		}, []string{"starts_at invalid", "ends_at invalid", "sale_starts_at invalid", "sale_ends_at invalid"}},
		"order of times": {
			func(d *event.Definition) { d.EndsAt, d.SaleEndsAt = d.StartsAt, d.SaleStartsAt },
			[]string{"ends_at out_of_range", "sale_ends_at out_of_range"},
		},
		"a sale after the end": {func(d *event.Definition) { d.SaleEndsAt = "2027-03-01T22:00:01Z" }, []string{"sale_ends_at out_of_range"}},
		"a small currency":     {func(d *event.Definition) { d.Currency = "eur" }, []string{"currency invalid"}},
		"no currency":          {func(d *event.Definition) { d.Currency = "XXX" }, []string{"currency invalid"}},
		"an unknown currency":  {func(d *event.Definition) { d.Currency = "ZZZ" }, []string{"currency invalid"}},
		"numbers":              {func(d *event.Definition) { d.MaxSeatsPerBuyer, d.HoldSeconds = ref(0), ref(3601) }, []string{"max_seats_per_buyer out_of_range", "hold_seconds out_of_range"}},
		"a long description":   {func(d *event.Definition) { d.Description = strings.Repeat("ä", 10_001) }, []string{"description too_long"}},
		"a NUL":                {func(d *event.Definition) { d.Description = "a\x00b" }, []string{"description invalid"}},
		"ticket types": {func(d *event.Definition) {
			d.TicketTypes = []event.TicketTypeDefinition{
				{ID: "a", Name: "A", Category: "front", Price: ref(int64(-1))},
				{ID: "a", Name: "", Category: "front", Price: nil},
				{ID: "ö", Name: "C", Category: "balcony", Price: ref(int64(1e12))},
				{ID: "d", Name: "D", Category: "", Price: ref(int64(1))},
			}
		}, []string{
			"ticket_types[0].price out_of_range", "ticket_types[1].name required", "ticket_types[1].id duplicate",
			"ticket_types[1].category duplicate", "ticket_types[1].price required", "ticket_types[2].id invalid",
			"ticket_types[2].category unknown", "ticket_types[2].price out_of_range", "ticket_types[3].category required",
		}},
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

func TestWhatAnEventAllowsFollowsFromItsStatus(t *testing.T) {
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
		change func(*event.Definition)
		venue  *event.Facts
		want   []string
	}{
		"everything": {func(d *event.Definition) {
			d.VenueID, d.Currency = uuid.NewString(), "USD"
			d.TicketTypes = d.TicketTypes[:1]
		}, nil, []string{"venue_id not_editable", "currency not_editable", "ticket_types not_editable"}},
		"a ticket type's id": {func(d *event.Definition) { d.TicketTypes[0].ID = "other" }, venue, []string{"ticket_types not_editable"}},
		"categories swapped": {func(d *event.Definition) {
			d.TicketTypes[0].Category, d.TicketTypes[1].Category = "floor", "front"
		}, venue, []string{"ticket_types not_editable"}},
		"a start in the past":       {func(d *event.Definition) { d.StartsAt = "2027-01-01T00:00:00Z" }, venue, []string{"starts_at in_the_past"}},
		"names, prices and the end": {func(d *event.Definition) { d.EndsAt, d.TicketTypes[0].Price = "2027-03-01T23:00:00Z", ref(int64(1)) }, venue, nil},
		"a ticket type without its id": {func(d *event.Definition) {
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
	if err := e.Publish(now); err != nil {
		t.Fatal(err)
	}
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
		if m.Status != want || m.Version != e.Version || len(m.Blocks) != len(blocks) || len(m.TicketTypes) != 2 {
			t.Errorf("got %+v, want status %s", m, want)
		}
	}
	check(events.EventPublished)
	e.Status = event.SoldOut
	check(events.EventPublished)
	if changed, err := e.Cancel("", now); err != nil || !changed {
		t.Fatal(changed, err)
	}
	check(events.EventEnded)
	if changed, err := e.Cancel("again", now); err != nil || changed {
		t.Error("the second cancellation changed something", err)
	}
}

func TestPublishSaysAllThatIsMissing(t *testing.T) {
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

func TestWordsAreFolded(t *testing.T) {
	got := event.Words("  Beyoncé’s \"Ångström\" rock-n-roll, 2027! ﬁn")
	want := []string{"beyonce", "s", "angstrom", "rock", "n", "roll", "2027", "fin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
