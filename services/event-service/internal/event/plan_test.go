package event_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

// wrong returns the fields named by an error, each as "field code".
func wrong(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Fatalf("not a problem: %v", err)
	}
	out := []string{}
	for _, f := range p.Fields {
		out = append(out, f.Field+" "+f.Code)
		if f.Message == "" {
			t.Errorf("%s has no message", f.Field)
		}
	}
	return out
}

func TestVenueNamesEveryWrongField(t *testing.T) {
	big := 2e6
	for name, tc := range map[string]struct {
		change func(*rest.NewVenue)
		want   []string
	}{
		"nothing wrong": {func(*rest.NewVenue) {}, nil},
		"an empty plan": {
			func(p *rest.NewVenue) { *p = rest.NewVenue{} },
			[]string{"name required", "city required", "time_zone required", "categories required", "sections required"},
		},
		"text that is too long, and control characters": {func(p *rest.NewVenue) {
			p.Name, p.City = strings.Repeat("ä", 201), "Vi\x00enna"
		}, []string{"name too_long", "city invalid"}},
		"time zones": {func(p *rest.NewVenue) { p.TimeZone = "Local" }, []string{"time_zone invalid"}},
		"a path as time zone": {
			func(p *rest.NewVenue) { p.TimeZone = "../../etc/passwd" },
			[]string{"time_zone invalid"},
		},
		"ids": {func(p *rest.NewVenue) {
			p.Categories[1].ID = "front"
			p.Sections[0].ID = "a b"
			p.Sections[1].ID = p.Areas[0].ID
			p.Areas[0].Category = "front"
		}, []string{"categories[1].id duplicate", "sections[0].id invalid", "areas[0].id duplicate"}},
		"a seat deep inside": {func(p *rest.NewVenue) {
			p.Sections[1].Rows[0].Seats[5].Number = " "
			p.Sections[1].Rows[0].Seats[5].X = nil
			p.Sections[1].Rows[0].Seats[5].Y = &big
			p.Sections[1].Rows[0].Seats[6].Category = "balcony"
			p.Sections[1].Rows[0].Seats[8].Number = "8"
		}, []string{
			"sections[1].rows[0].seats[5].number required", "sections[1].rows[0].seats[5].x required",
			"sections[1].rows[0].seats[5].y out_of_range", "sections[1].rows[0].seats[6].category unknown",
			"sections[1].rows[0].seats[8].number duplicate",
		}},
		"rows": {func(p *rest.NewVenue) {
			p.Sections[0].Rows[1].Label = "1"
			p.Sections[0].Rows[0].Seats = nil
			p.Sections[1].Rows = nil
		}, []string{"sections[0].rows[0].seats required", "sections[0].rows[1].label duplicate", "sections[1].rows required"}},
		"seats without a category": {func(p *rest.NewVenue) { p.Sections[0].Rows[0].Category = "" }, []string{
			"sections[0].rows[0].seats[0].category required", "sections[0].rows[0].seats[1].category required",
		}},
		"a row's unknown category once, not on every seat": {
			func(p *rest.NewVenue) { p.Sections[0].Rows[0].Category = "balcony" },
			[]string{"sections[0].rows[0].category unknown"},
		},
		"areas": {func(p *rest.NewVenue) {
			p.Areas[0].Capacity, p.Areas[0].Category, p.Areas[0].Name, p.Areas[0].X = 0, "", "", nil
			p.Areas = append(p.Areas, area("x", 100_001))
		}, []string{
			"areas[0].category required", "areas[0].name required", "areas[0].capacity out_of_range", "areas[0].x required",
			"areas[1].capacity out_of_range",
		}},
		"too many seats": {func(p *rest.NewVenue) { p.Areas = append(p.Areas, area("x", 100_000), area("y", 20_000)) }, []string{"sections too_many"}},
		"too many categories": {func(p *rest.NewVenue) {
			for i := range 19 {
				p.Categories = append(p.Categories, rest.Category{ID: fmt.Sprint("c", i), Name: "C"})
			}
		}, []string{"categories too_many"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan([]rest.NewSection{section("s0", 2, 2), section("s1", 9)}, area("pit", 10))
			tc.change(&p)
			v, _, err := event.NewVenue(p, uuid.New(), uuid.New(), now)
			if diff := cmp.Diff(tc.want, wrong(t, err)); diff != "" {
				t.Error("wrong fields (-want +got):\n" + diff)
			}
			if (v == nil) != (tc.want != nil) {
				t.Error("a venue came back with an error, or none without")
			}
		})
	}
}

func TestVenueNamesAHundredWrongFieldsAtMost(t *testing.T) {
	s := section("s", 1000, 1000)
	for r := range s.Rows {
		for i := range s.Rows[r].Seats {
			s.Rows[r].Seats[i].X = nil
		}
	}
	_, _, err := event.NewVenue(plan([]rest.NewSection{s}), uuid.New(), uuid.New(), now)
	if got := wrong(t, err); len(got) != 100 || got[99] != "sections[0].rows[0].seats[99].x required" {
		t.Errorf("%d wrong fields, last %q", len(got), got[len(got)-1])
	}
}

func TestVenueTooIrregularForAMessageIsRefused(t *testing.T) {
	var sections []rest.NewSection
	for i := range 100 {
		sizes := make([]int, 1000)
		for j := range sizes {
			sizes[j] = 1
		}
		sections = append(sections, section(fmt.Sprint("s", i), sizes...))
	}
	_, _, err := event.NewVenue(plan(sections), uuid.New(), uuid.New(), now)
	if diff := cmp.Diff([]string{"sections too_complex"}, wrong(t, err)); diff != "" {
		t.Error(diff)
	}
}
