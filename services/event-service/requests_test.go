package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func escape(s string) string { return url.QueryEscape(s) }

func TestInvalidRequestsAreRefusedAndChangeNothing(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	venue := p.createVenue(t)
	e := p.createEvent(t, eventBody(venue))
	good, path := eventBody(venue), "/api/v1/events/"+e.ID
	negative := []object{{"name": "Front", "category": "front", "price": -1}}
	for name, tc := range map[string]struct {
		as           identity.Identity
		method, path string
		body         any
		headers      headers
		status       int
		code         string
		fields       []string
	}{
		"no JSON":                      {p.organizer, "POST", "/api/v1/events", "{", nil, 400, "malformed_json", nil},
		"something after the JSON":     {p.organizer, "POST", "/api/v1/events", "{} {}", nil, 400, "malformed_json", nil},
		"an unknown field":             {p.organizer, "POST", "/api/v1/events", good.with("colour", "red"), nil, 400, "unknown_field", nil},
		"an unknown field of a seat":   {p.organizer, "POST", "/api/v1/venues", `{"sections":[{"rows":[{"seats":[{"id":"1-1"}]}]}]}`, nil, 400, "unknown_field", nil},
		"an unknown field in a patch":  {p.organizer, "PATCH", path, object{"status": nil, "version": 3}, headers{"If-Match": `"1"`}, 400, "unknown_field", nil},
		"a list as patch":              {p.organizer, "PATCH", path, "[]", headers{"If-Match": `"1"`}, 400, "malformed_json", nil},
		"no media type":                {p.organizer, "POST", "/api/v1/events", good, headers{"Content-Type": ""}, 415, "unsupported_media_type", nil},
		"another media type":           {p.organizer, "POST", "/api/v1/events", "a=b", headers{"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type", nil},
		"a patch without media type":   {p.organizer, "PATCH", path, object{"name": "X"}, headers{"If-Match": `"1"`, "Content-Type": ""}, 415, "unsupported_media_type", nil},
		"null as event":                {p.organizer, "POST", "/api/v1/events", "null", nil, 400, "malformed_json", nil},
		"null as venue":                {p.organizer, "POST", "/api/v1/venues", "null", nil, 400, "malformed_json", nil},
		"null in a venue":              {p.organizer, "POST", "/api/v1/venues", venueBody().with("areas", json.RawMessage("null")), nil, 400, "malformed_json", nil},
		"10 MB for an event":           {p.organizer, "POST", "/api/v1/events", strings.Repeat(" ", 10<<20), nil, 413, "body_too_large", nil},
		"17 MB for a venue":            {p.organizer, "POST", "/api/v1/venues", strings.Repeat(" ", 17<<20), nil, 413, "body_too_large", nil},
		"millions of seats":            {p.organizer, "POST", "/api/v1/venues", `{"sections":[{"rows":[{"seats":[` + strings.Repeat("{},", 4<<20) + `{}]}]}]}`, nil, 422, "validation_failed", []string{"sections"}},
		"a negative price":             {p.organizer, "POST", "/api/v1/events", good.with("ticket_types", negative), nil, 422, "validation_failed", []string{"ticket_types[0].price"}},
		"a price that is no integer":   {p.organizer, "POST", "/api/v1/events", good.with("ticket_types", []object{{"name": "Front", "category": "front", "price": 1.5}}), nil, 422, "validation_failed", []string{"ticket_types[0].price"}},
		"a venue nobody made":          {p.organizer, "POST", "/api/v1/events", good.with("venue_id", uuid.NewString()), nil, 422, "validation_failed", []string{"venue_id"}},
		"all that is wrong":            {p.organizer, "POST", "/api/v1/events", good.with("venue_id", "x").with("currency", "Euro").with("ends_at", nil), nil, 422, "validation_failed", []string{"currency", "ends_at", "venue_id"}},
		"a wrong key":                  {p.organizer, "POST", "/api/v1/events", good, headers{"Idempotency-Key": "a b"}, 400, "invalid_idempotency_key", nil},
		"a customer's event":           {p.customer, "POST", "/api/v1/events", good, nil, 403, "forbidden", nil},
		"a customer's venue":           {p.customer, "POST", "/api/v1/venues", venueBody(), nil, 403, "forbidden", nil},
		"nobody's event":               {p.anonymous, "POST", "/api/v1/events", good, nil, 401, "session_required", nil},
		"a customer's venues":          {p.customer, "GET", "/api/v1/venues", nil, nil, 403, "forbidden", nil},
		"nobody's venues":              {p.anonymous, "GET", "/api/v1/venues", nil, nil, 401, "session_required", nil},
		"a wrong page of venues":       {p.organizer, "GET", "/api/v1/venues?limit=101&cursor=AAAA", nil, nil, 422, "validation_failed", []string{"limit", "cursor"}},
		"nobody's own events":          {p.anonymous, "GET", "/api/v1/events?mine=true", nil, nil, 401, "session_required", nil},
		"a queue without mode":         {p.organizer, "POST", "/api/v1/events", good.with("queue", object{"admission_seconds": 60}), nil, 422, "validation_failed", []string{"queue.mode"}},
		"all that is wrong in a queue": {p.organizer, "PATCH", path, `{"queue":{"mode":"on","opens_before_seconds":59,"admission_seconds":3601}}`, headers{"If-Match": `"1"`}, 422, "validation_failed", []string{"queue.admission_seconds", "queue.mode", "queue.opens_before_seconds"}},
		"taking away the queue's mode": {p.organizer, "PATCH", path, `{"queue":{"mode":null}}`, headers{"If-Match": `"1"`}, 422, "validation_failed", []string{"queue.mode"}},
		"taking away what is needed":   {p.organizer, "PATCH", path, `{"name":null,"hold_seconds":null,"sale_ends_at":null}`, headers{"If-Match": `"1"`}, 422, "validation_failed", []string{"name", "sale_ends_at"}},
		"a wrong version":              {p.organizer, "PATCH", path, object{"name": "X"}, headers{"If-Match": `"7"`}, 412, "precondition_failed", nil},
		"a wrong version to delete":    {p.organizer, "DELETE", path, nil, headers{"If-Match": `"7"`}, 412, "precondition_failed", nil},
		"an If-Match without quotes":   {p.organizer, "PATCH", path, object{"name": "X"}, headers{"If-Match": "{}"}, 400, "invalid_if_match", nil},
		"an empty If-Match":            {p.organizer, "PATCH", path, object{"name": "X"}, headers{"If-Match": ""}, 400, "invalid_if_match", nil},
		"deleting an If-Match of {}":   {p.organizer, "DELETE", path, nil, headers{"If-Match": "{}"}, 400, "invalid_if_match", nil},
		"null as cancellation":         {p.organizer, "POST", path + "/cancel", "null", nil, 400, "malformed_json", nil},
		"space as cancellation":        {p.organizer, "POST", path + "/cancel", " ", nil, 400, "malformed_json", nil},
		"a reason without media type":  {p.organizer, "POST", path + "/cancel", object{"reason": "x"}, headers{"Content-Type": ""}, 415, "unsupported_media_type", nil},
		"cancelling a draft":           {p.organizer, "POST", path + "/cancel", nil, nil, 409, "event_not_cancellable", []string{"status"}},
		"a long reason":                {p.organizer, "POST", path + "/cancel", object{"reason": strings.Repeat("x", 501)}, nil, 422, "validation_failed", []string{"reason"}},
		"another's draft":              {p.rival, "DELETE", path, nil, nil, 404, "not_found", nil},
		"an event nobody made":         {p.organizer, "POST", "/api/v1/events/" + uuid.NewString() + "/publish", nil, nil, 404, "not_found", nil},
		"an id that is none":           {p.organizer, "GET", "/api/v1/events/1", nil, nil, 404, "not_found", nil},
		"a venue that isn't there":     {p.anonymous, "GET", "/api/v1/venues/" + uuid.NewString(), nil, nil, 404, "not_found", nil},
		"a method that isn't there":    {p.boss, "PUT", path, good, nil, 405, "method_not_allowed", nil},
		"an address that isn't there":  {p.boss, "GET", "/api/v1/halls", nil, nil, 404, "not_found", nil},
		"empty parameters":             {p.anonymous, "GET", "/api/v1/events?from=&to=&mine=", nil, nil, 422, "validation_failed", []string{"from", "to", "mine"}},
		"all wrong parameters at once": {p.anonymous, "GET", "/api/v1/events?limit=0&from=x&cursor=%21&mine=perhaps&q=" + strings.Repeat("x", 201), nil, nil, 422, "validation_failed", []string{"limit", "q", "from", "cursor", "mine"}},
		"a cursor from another age":    {p.anonymous, "GET", "/api/v1/events?cursor=LTkyMjMzNzIwMzY4NTQ3NzU4MDguMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw", nil, nil, 422, "validation_failed", []string{"cursor"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.call(t, tc.as, tc.method, tc.path, tc.body, tc.headers).refused(t, tc.status, tc.code)
			var fields []string
			for _, f := range got.Errors {
				fields = append(fields, f.Field)
			}
			if tc.fields != nil {
				less := cmp.Diff(tc.fields, fields)
				if less != "" {
					t.Error("fields (-want +got):\n" + less)
				}
			}
		})
	}
	var after eventAnswer
	p.call(t, p.organizer, "GET", path, nil, nil).into(t, http.StatusOK, &after)
	var mine struct{ Items []eventAnswer }
	p.call(t, p.organizer, "GET", "/api/v1/events?mine=true", nil, nil).into(t, http.StatusOK, &mine)
	if diff := cmp.Diff(e, after); diff != "" || len(mine.Items) != 1 {
		t.Errorf("%d events; the event changed:\n%s", len(mine.Items), diff)
	}
	p.call(t, p.organizer, "DELETE", path, nil, headers{"If-Match": `"1"`}).into(t, http.StatusNoContent, nil)
	p.call(t, p.organizer, "GET", path, nil, nil).refused(t, http.StatusNotFound, "not_found")
}

func TestIdentityMustBeSignedByGateway(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	forged := testkit.Forged(t, name)
	for _, path := range []string{"/api/v1/events", "/api/v1/venues/" + uuid.NewString(), "/nowhere"} {
		p.send(t, "GET", path, nil, nil).refused(t, http.StatusUnauthorized, "identity_required")
		p.send(t, "GET", path, nil, headers{identity.Header: forged}).refused(t, http.StatusUnauthorized, "identity_invalid")
		p.send(t, "GET", path, nil, headers{identity.Header: "x"}).refused(t, http.StatusUnauthorized, "identity_invalid")
	}
}

func TestConcurrentDuplicatesCreateOneEventAndOneVenue(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	venue := p.createVenue(t)
	for path, body := range map[string]object{"/api/v1/events": eventBody(venue), "/api/v1/venues": venueBody()} {
		var wg sync.WaitGroup
		var replayed atomic.Int32
		bodies := make([]string, 20)
		for i := range bodies {
			wg.Go(func() {
				got := p.call(t, p.organizer, "POST", path, body, headers{"Idempotency-Key": "twin"})
				if got.status != http.StatusCreated || got.header.Get("Location") == "" {
					t.Errorf("%d, Location %q: %s", got.status, got.header.Get("Location"), got.body)
				}
				if got.header.Get("Idempotency-Replayed") == "true" {
					replayed.Add(1)
				}
				bodies[i] = string(got.body)
			})
		}
		wg.Wait()
		for _, b := range bodies {
			if b != bodies[0] {
				t.Fatalf("%s: two answers:\n%s\n%s", path, bodies[0], b)
			}
		}
		if replayed.Load() != 19 {
			t.Errorf("%s: %d replays, want 19", path, replayed.Load())
		}
		p.call(t, p.organizer, "POST", path, body.with("name", "Another"), headers{"Idempotency-Key": "twin"}).
			refused(t, http.StatusUnprocessableEntity, "idempotency_key_reused")
		if got := p.call(t, p.boss, "POST", path, body, headers{"Idempotency-Key": "twin"}); got.status != http.StatusCreated || string(got.body) == bodies[0] {
			t.Errorf("%s: another user's twin key: %d", path, got.status)
		}
	}
}

func TestVenueOf100000Seats(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	body := venueBody()
	var sections []object
	for s := range 20 {
		rows := make([]object, 100)
		for r := range rows {
			rows[r] = row(fmt.Sprint(r+1), 50)
		}
		sections = append(sections, object{"id": fmt.Sprint("s", s), "name": fmt.Sprint("Section ", s), "rows": rows})
	}
	body = body.with("sections", sections)
	start := time.Now()
	created := p.call(t, p.organizer, "POST", "/api/v1/venues", body, nil)
	t.Logf("created in %v", time.Since(start))
	type section struct {
		Blocks    []string
		SeatCount int `json:"seat_count"`
		Rows      []struct {
			Seats []struct{ ID, Number, Category string }
		}
	}
	var v struct {
		ID        string
		SeatCount int `json:"seat_count"`
		Sections  []section
		Areas     []section
	}
	created.into(t, http.StatusCreated, &v)
	last := v.Sections[19]
	seat := last.Rows[99].Seats[49]
	// 50 blocks of 40 rows, two and a half blocks per section.
	if v.SeatCount != 100_350 || last.SeatCount != 5000 || len(last.Blocks) != 3 || seat.ID != "50-1999" || seat.Number != "50" || seat.Category != "front" {
		t.Errorf("%d seats; last section: %d seats, blocks %v; last seat %+v", v.SeatCount, last.SeatCount, last.Blocks, seat)
	}
	if diff := cmp.Diff([]string{"51"}, v.Areas[0].Blocks); diff != "" {
		t.Error(diff)
	}

	path := "/api/v1/venues/" + v.ID
	start = time.Now()
	plain := p.call(t, p.anonymous, "GET", path, nil, headers{"Accept-Encoding": "identity"}).into(t, http.StatusOK, nil)
	if string(plain.body) != string(created.body) || plain.header.Get("Content-Encoding") != "" {
		t.Error("the venue is not what its creation answered")
	}
	zipped := p.call(t, p.anonymous, "GET", path, nil, headers{"Accept-Encoding": "gzip"}).into(t, http.StatusOK, nil)
	if zipped.header.Get("Content-Encoding") != "gzip" || len(zipped.body) > len(plain.body)/4 {
		t.Errorf("%q, %d of %d bytes", zipped.header.Get("Content-Encoding"), len(zipped.body), len(plain.body))
	}
	t.Logf("read twice in %v, %d bytes, %d compressed", time.Since(start), len(plain.body), len(zipped.body))
	p.call(t, p.anonymous, "GET", path, nil, headers{"If-None-Match": plain.header.Get("ETag")}).into(t, http.StatusNotModified, nil)

	// Its events can be announced.
	p.publish(t, p.createEvent(t, eventBody(v.ID)).ID)
}

func TestListsComeInPages(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	venue := p.createVenue(t)
	var want []string
	for i := range 5 {
		body := eventBody(venue).with("name", fmt.Sprint("Night ", i)).with("ends_at", "2099-03-03T00:00:00Z")
		want = append(want, p.publish(t, p.createEvent(t, body.with("starts_at", fmt.Sprintf("2099-03-01T1%d:00:00Z", i/2))).ID).ID)
	}
	var got []string
	next := ""
	for {
		var page struct {
			Items      []eventAnswer
			NextCursor string `json:"next_cursor"`
		}
		p.call(t, p.anonymous, "GET", "/api/v1/events?q=night&limit=2&cursor="+next, nil, nil).into(t, http.StatusOK, &page)
		for _, e := range page.Items {
			got = append(got, e.ID)
		}
		if next = page.NextCursor; next == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("pages (-want +got):\n" + diff)
	}
	for query, n := range map[string]int{
		"?q=%3F%21": 0, "?q=wien": 0, "?q=vienna": 5, "?from=2099-03-01T11:00:00Z": 3, "?to=2099-03-01T11:00:00Z": 2,
	} {
		var page struct{ Items []eventAnswer }
		p.call(t, p.anonymous, "GET", "/api/v1/events"+query, nil, nil).into(t, http.StatusOK, &page)
		if page.Items == nil || len(page.Items) != n {
			t.Errorf("%s: %d events, want %d", query, len(page.Items), n)
		}
	}
}

func TestCancelledEventsAreListedLastForADay(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	body := eventBody(p.createVenue(t)).with("ends_at", "2099-03-03T00:00:00Z")
	var ids []string // by start
	for i := range 4 {
		e := p.createEvent(t, body.with("starts_at", fmt.Sprintf("2099-03-01T1%d:00:00Z", i)))
		ids = append(ids, p.publish(t, e.ID).ID)
	}
	for _, id := range []string{ids[2], ids[0]} {
		p.call(t, p.organizer, "POST", "/api/v1/events/"+id+"/cancel", nil, nil).into(t, http.StatusOK, nil)
	}
	listed := func(as identity.Identity, query string) (got []string) {
		t.Helper()
		next := ""
		for {
			var page struct {
				Items      []eventAnswer
				NextCursor string `json:"next_cursor"`
			}
			p.call(t, as, "GET", "/api/v1/events?limit=1"+query+"&cursor="+next, nil, nil).into(t, http.StatusOK, &page)
			for _, e := range page.Items {
				got = append(got, e.ID)
			}
			if next = page.NextCursor; next == "" {
				return got
			}
		}
	}
	all := []string{ids[1], ids[3], ids[0], ids[2]}
	if diff := cmp.Diff(all, listed(p.anonymous, "")); diff != "" {
		t.Error("after the cancellation (-want +got):\n" + diff)
	}
	p.exec(t, `UPDATE events SET updated_at = updated_at - interval '25 hours' WHERE id = $1`, ids[0])
	for _, query := range []string{"", "&from=2099-01-01T00:00:00Z", "&q=trio"} {
		if diff := cmp.Diff([]string{ids[1], ids[3], ids[2]}, listed(p.anonymous, query)); diff != "" {
			t.Errorf("a day later, with %q (-want +got):\n%s", query, diff)
		}
	}
	if diff := cmp.Diff(all, listed(p.organizer, "&mine=true")); diff != "" {
		t.Error("the organizer's own (-want +got):\n" + diff)
	}
	p.call(t, p.anonymous, "GET", "/api/v1/events/"+ids[0], nil, nil).into(t, http.StatusOK, nil)
}

func TestOwnVenuesAreListedNewestFirst(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	var want []string
	for range 5 {
		want = append([]string{p.createVenue(t)}, want...)
	}
	p.call(t, p.rival, "POST", "/api/v1/venues", venueBody(), nil).into(t, http.StatusCreated, nil)
	// Two of them as stored by the version before this list existed.
	pool, err := pgxpool.New(t.Context(), p.cfg.PostgresURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), `UPDATE venues SET seat_count = NULL, categories = NULL WHERE id = ANY($1)`, want[2:4]); err != nil {
		t.Fatal(err)
	}
	for _, round := range []string{"as stored", "again"} {
		var got []string
		next := ""
		for {
			var page struct {
				Items []struct {
					ID, Name, City string
					TimeZone       string    `json:"time_zone"`
					SeatCount      int       `json:"seat_count"`
					CreatedAt      time.Time `json:"created_at"`
					Categories     []struct{ ID, Name string }
				}
				NextCursor string `json:"next_cursor"`
			}
			p.call(t, p.organizer, "GET", "/api/v1/venues?limit=2&cursor="+next, nil, nil).into(t, http.StatusOK, &page)
			for _, v := range page.Items {
				got = append(got, v.ID)
				if v.Name != "Small Hall" || v.City != "Vienna" || v.TimeZone != "Europe/Vienna" || v.SeatCount != 358 ||
					len(v.Categories) != 2 || v.Categories[1].ID != "floor" || v.CreatedAt.IsZero() {
					t.Errorf("%s: %+v", round, v)
				}
			}
			if next = page.NextCursor; next == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: pages (-want +got):\n%s", round, diff)
		}
		var missing int
		if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM venues WHERE seat_count IS NULL OR categories IS NULL`).Scan(&missing); err != nil || missing != 0 {
			t.Errorf("%s: %d venues are still to be described, %v", round, missing, err)
		}
	}
	var none struct{ Items []any }
	p.call(t, p.boss, "GET", "/api/v1/venues", nil, nil).into(t, http.StatusOK, &none)
	if none.Items == nil || len(none.Items) != 0 {
		t.Errorf("an admin without venues got %v", none.Items)
	}
}
