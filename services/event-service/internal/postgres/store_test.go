package postgres_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	pg "github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/event-service/migrations"
)

var now = time.Date(2027, 1, 2, 3, 4, 5, 678_000, time.UTC)

type fixture struct {
	pool  *pgxpool.Pool
	store *postgres.Store
	venue *event.Venue
	owner uuid.UUID
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	pool := pgtest.Pool(t, migrations.Files, pg.Idempotency, pg.Outbox)
	f := &fixture{pool: pool, store: postgres.NewStore(pool), owner: uuid.New()}
	x := 0.0
	venue, blocks, err := event.NewVenue(rest.NewVenue{
		Name: "Große Halle", City: "Wien", TimeZone: "Europe/Vienna", Categories: []rest.Category{{ID: "floor", Name: "Floor"}},
		Areas: []rest.NewArea{{ID: "pit", Name: "Pit", Category: "floor", Capacity: 400, X: &x, Y: &x}},
	}, uuid.New(), f.owner, now)
	if err != nil {
		t.Fatal(err)
	}
	f.venue = venue
	f.update(t, func(tx postgres.Tx) error { return tx.InsertVenue(t.Context(), venue, blocks, []byte("document")) })
	return f
}

func (f *fixture) update(t *testing.T, fn func(tx postgres.Tx) error) {
	t.Helper()
	if err := f.store.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// add stores an event that starts in the given number of hours.
func (f *fixture) add(t *testing.T, name string, hours int, status event.Status) *event.Event {
	t.Helper()
	facts := f.venue.Facts()
	at := func(h int) time.Time { return now.Add(time.Duration(h) * time.Hour) }
	e, err := event.New(rest.NewEvent{
		Name: name, Description: "Ein Abend", VenueID: f.venue.ID, TimeZone: "Europe/Vienna", Currency: "EUR",
		StartsAt: at(hours), EndsAt: at(hours + 2), SaleStartsAt: at(hours - 100), SaleEndsAt: at(hours),
		TicketTypes: []rest.NewTicketType{{ID: "floor", Name: "Floor", Category: "floor", Price: 1000}},
	}, &facts, uuid.Must(uuid.NewV7()), f.owner, now)
	if err != nil {
		t.Fatal(err)
	}
	e.Status = status
	f.update(t, func(tx postgres.Tx) error { return tx.InsertEvent(t.Context(), e) })
	return e
}

func (f *fixture) announced(t *testing.T) []events.EventChanged {
	t.Helper()
	rows, err := f.pool.Query(t.Context(), `SELECT payload FROM outbox WHERE topic = 'event_changed' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []events.EventChanged
	for rows.Next() {
		var data []byte
		var m events.EventChanged
		if err := errors.Join(rows.Scan(&data), json.Unmarshal(data, &m), events.Validate(events.TypeEventChanged, data)); err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return problem.From(err).Code
}

func TestEventRoundTrip(t *testing.T) {
	f := newFixture(t)
	want := f.add(t, "Trio", 24, event.Draft)
	got, err := f.store.Event(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("stored (-want +got):\n" + diff)
	}
	got.Name, got.Version = "Quartet", 2
	got.Queue = rest.QueueSettings{Mode: rest.QueueModeAlways, OpensBeforeSeconds: 600, AdmissionSeconds: 60}
	f.update(t, func(tx postgres.Tx) error { return tx.UpdateEvent(t.Context(), got) })
	again, err := f.store.Event(t.Context(), want.ID)
	if diff := cmp.Diff(got, again); diff != "" || err != nil {
		t.Error("changed (-want +got):\n"+diff, err)
	}
	if n := len(f.announced(t)); n != 0 {
		t.Errorf("%d messages about a draft", n)
	}
	f.update(t, func(tx postgres.Tx) error { return tx.DeleteEvent(t.Context(), want.ID) })
	if _, err := f.store.Event(t.Context(), want.ID); code(err) != "not_found" {
		t.Errorf("a deleted event: %v", err)
	}
}

func TestFirstEightBytesOfEventIDsAreUnique(t *testing.T) {
	f := newFixture(t)
	taken := f.add(t, "Trio", 24, event.Draft)
	e := *taken
	e.Name = "Quartet"
	e.ID[15]++
	wanted := e.ID
	f.update(t, func(tx postgres.Tx) error { return tx.InsertEvent(t.Context(), &e) })
	if e.ID == wanted || bytes.Equal(e.ID[:8], taken.ID[:8]) {
		t.Errorf("the ids %s and %s begin with the same 8 bytes", e.ID, taken.ID)
	}
	for _, want := range []*event.Event{taken, &e} {
		if got, err := f.store.Event(t.Context(), want.ID); err != nil || got.Name != want.Name {
			t.Errorf("event %s: %+v, %v", want.ID, got, err)
		}
	}
	if _, err := f.store.Event(t.Context(), wanted); code(err) != "not_found" {
		t.Errorf("the event is also stored by the id that was taken: %v", err)
	}
}

func TestMissingRowsAreNotFound(t *testing.T) {
	f := newFixture(t)
	if _, err := f.store.VenueDocument(t.Context(), uuid.New()); code(err) != "not_found" {
		t.Errorf("venue: %v", err)
	}
	if _, err := f.store.Event(t.Context(), uuid.New()); code(err) != "not_found" {
		t.Errorf("event: %v", err)
	}
	f.update(t, func(tx postgres.Tx) error {
		if _, err := tx.EventForUpdate(t.Context(), uuid.New()); code(err) != "not_found" {
			t.Errorf("event for update: %v", err)
		}
		if v, err := tx.Venue(t.Context(), uuid.New()); v != nil || err != nil {
			t.Errorf("venue facts: %v, %v", v, err)
		}
		return nil
	})
}

func TestChangeOfPublishedEventIsAnnouncedIfItCommits(t *testing.T) {
	f := newFixture(t)
	e := f.add(t, "Trio", 24, event.Draft)
	publish := func(outcome error) error {
		return f.store.Update(t.Context(), func(tx postgres.Tx) error {
			e, err := tx.EventForUpdate(t.Context(), e.ID)
			if err == nil {
				err = e.Publish(now)
			}
			if err == nil {
				err = tx.UpdateEvent(t.Context(), e)
			}
			return errors.Join(err, outcome)
		})
	}
	if err := publish(errors.New("no")); err == nil {
		t.Fatal("the failure was lost")
	}
	if n := len(f.announced(t)); n != 0 {
		t.Fatalf("%d messages about a change that was rolled back", n)
	}
	if err := publish(nil); err != nil {
		t.Fatal(err)
	}
	got := f.announced(t)
	if len(got) != 1 || got[0].Version != 2 || got[0].Status != events.StatusPublished || len(got[0].Blocks) != 2 {
		t.Errorf("announced %+v", got)
	}
}

func TestConcurrentChangesAreAllApplied(t *testing.T) {
	f := newFixture(t)
	e := f.add(t, "Trio", 24, event.Published)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := f.store.Update(t.Context(), func(tx postgres.Tx) error {
				e, err := tx.EventForUpdate(t.Context(), e.ID)
				if err != nil {
					return err
				}
				d := e.Definition()
				d.Name = fmt.Sprint("Trio ", i)
				if err := e.Change(d, &e.Venue, now); err != nil {
					return err
				}
				return tx.UpdateEvent(t.Context(), e)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := f.store.Event(t.Context(), e.ID)
	if err != nil || got.Version != 21 {
		t.Errorf("version %d (%v), want 21", got.Version, err)
	}
	for i, m := range f.announced(t) {
		if m.Version != int64(i+2) {
			t.Fatalf("message %d has version %d", i, m.Version)
		}
	}
}

func TestNewestCountOfSeatsDecidesSoldOut(t *testing.T) {
	f := newFixture(t)
	at := func(minute int) time.Time { return now.Add(time.Duration(minute) * time.Minute) }
	count := func(available, held, minute int) events.EventAvailability {
		return events.EventAvailability{Available: available, Held: held, Sold: 400 - available - held, Total: 400, At: at(minute)}
	}
	for name, tc := range map[string]struct {
		start   event.Status
		counts  []events.EventAvailability
		want    event.Status
		version int64
	}{
		"no seat left":             {event.Published, []events.EventAvailability{count(0, 0, 1)}, event.SoldOut, 2},
		"one held":                 {event.Published, []events.EventAvailability{count(0, 1, 1)}, event.Published, 1},
		"one given back":           {event.Published, []events.EventAvailability{count(0, 0, 1), count(1, 0, 2)}, event.Published, 3},
		"the same count again":     {event.Published, []events.EventAvailability{count(0, 0, 1), count(0, 0, 1), count(0, 0, 2)}, event.SoldOut, 2},
		"an older count afterward": {event.Published, []events.EventAvailability{count(0, 0, 2), count(9, 0, 1)}, event.SoldOut, 2},
		"no seats known yet":       {event.Published, []events.EventAvailability{{At: at(1)}}, event.Published, 1},
		"a cancelled event":        {event.Cancelled, []events.EventAvailability{count(0, 0, 1)}, event.Cancelled, 1},
		"a draft":                  {event.Draft, []events.EventAvailability{count(0, 0, 1)}, event.Draft, 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := f.add(t, name, 24, tc.start)
			for _, c := range tc.counts {
				c.EventID = e.ID
				if err := f.store.ApplyAvailability(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			got, err := f.store.Event(t.Context(), e.ID)
			if err != nil || got.Status != tc.want || got.Version != tc.version {
				t.Errorf("%s, version %d (%v); want %s, version %d", got.Status, got.Version, err, tc.want, tc.version)
			}
		})
	}
	if err := f.store.ApplyAvailability(t.Context(), events.EventAvailability{EventID: uuid.New(), At: now}); err != nil {
		t.Errorf("a count of an unknown event: %v", err)
	}
}

func TestSearch(t *testing.T) {
	f := newFixture(t)
	f.add(t, "Béla's Late Night Trio", 1, event.Published)
	f.add(t, "Morning Duo", 2, event.SoldOut)
	f.add(t, "Night Draft", 3, event.Draft)
	f.add(t, "Noon Quartet", 4, event.Cancelled)
	f.add(t, "Late Show", 4, event.Published)
	at := func(h int) time.Time { return now.Add(time.Duration(h) * time.Hour) }
	for name, tc := range map[string]struct {
		filter event.Filter
		want   []string
	}{
		"all but drafts, by start":    {event.Filter{}, []string{"Béla's Late Night Trio", "Morning Duo", "Late Show", "Noon Quartet"}},
		"a word":                      {event.Filter{Words: []string{"morning"}}, []string{"Morning Duo"}},
		"the beginning of a word":     {event.Filter{Words: []string{"la"}}, []string{"Béla's Late Night Trio", "Late Show"}},
		"all of several words":        {event.Filter{Words: []string{"la", "trio"}}, []string{"Béla's Late Night Trio"}},
		"without the accent":          {event.Filter{Words: []string{"bela"}}, []string{"Béla's Late Night Trio"}},
		"the city":                    {event.Filter{Words: []string{"wien", "duo"}}, []string{"Morning Duo"}},
		"the venue":                   {event.Filter{Words: []string{"große", "duo"}}, []string{"Morning Duo"}},
		"the description":             {event.Filter{Words: []string{"abend", "show"}}, []string{"Late Show"}},
		"a draft's name":              {event.Filter{Words: []string{"draft"}}, nil},
		"from, inclusive":             {event.Filter{From: at(4)}, []string{"Late Show", "Noon Quartet"}},
		"to, exclusive":               {event.Filter{To: at(2)}, []string{"Béla's Late Night Trio"}},
		"not ended: 1 and 2 are over": {event.Filter{NotEndedAt: at(4)}, []string{"Late Show", "Noon Quartet"}},
		"one's own, drafts too":       {event.Filter{Organizer: f.owner, From: at(3)}, []string{"Night Draft", "Late Show", "Noon Quartet"}},
		"another's own":               {event.Filter{Organizer: uuid.New()}, nil},
		"at most so many":             {event.Filter{Limit: 1}, []string{"Béla's Late Night Trio"}},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.filter.Limit == 0 {
				tc.filter.Limit = 10
			}
			list, err := f.store.Events(t.Context(), tc.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range list {
				got = append(got, e.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error("found (-want +got):\n" + diff)
			}
		})
	}
}

func TestPagesHaveEveryEventOnce(t *testing.T) {
	f := newFixture(t)
	var want []string
	for i := range 25 {
		// Several start at the same time.
		want = append(want, f.add(t, fmt.Sprint("Event ", i), i/4, event.Published).ID.String())
	}
	var got []string
	filter := event.Filter{Limit: 4}
	for {
		list, err := f.store.Events(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			got = append(got, e.ID.String())
		}
		if len(list) < filter.Limit {
			break
		}
		last := list[len(list)-1]
		position := last.Position()
		filter.After = &position
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("pages (-want +got):\n" + diff)
	}
}

func TestPostgresOutageIsUnavailable(t *testing.T) {
	f := newFixture(t)
	f.pool.Close()
	_, listErr := f.store.Events(t.Context(), event.Filter{Limit: 1})
	_, eventErr := f.store.Event(t.Context(), uuid.New())
	_, venueErr := f.store.VenueDocument(t.Context(), uuid.New())
	for name, err := range map[string]error{
		"list": listErr, "event": eventErr, "venue": venueErr,
		"update": f.store.Update(t.Context(), func(postgres.Tx) error { return nil }),
	} {
		if code(err) != "unavailable" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
