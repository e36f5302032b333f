package event_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

var now = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)

func row(label string, seats int) rest.NewRow {
	r := rest.NewRow{Label: label, Category: "front"}
	for i := range seats {
		x, y := float64(i), 0.0
		r.Seats = append(r.Seats, rest.NewSeat{Number: fmt.Sprint(i + 1), X: &x, Y: &y})
	}
	return r
}

func section(id string, rowSizes ...int) rest.NewSection {
	s := rest.NewSection{ID: id, Name: "Section " + id}
	for i, n := range rowSizes {
		s.Rows = append(s.Rows, row(fmt.Sprint(i+1), n))
	}
	return s
}

func area(id string, capacity int) rest.NewArea {
	x := 0.0
	return rest.NewArea{ID: id, Name: "Area " + id, Category: "floor", Capacity: capacity, X: &x, Y: &x}
}

func plan(sections []rest.NewSection, areas ...rest.NewArea) rest.NewVenue {
	return rest.NewVenue{
		Name: "Hall", City: "Vienna", TimeZone: "Europe/Vienna",
		Categories: []rest.Category{{ID: "front", Name: "Front"}, {ID: "floor", Name: "Floor"}},
		Sections:   sections, Areas: areas,
	}
}

func newVenue(t *testing.T, p rest.NewVenue) (*event.Venue, []events.Block) {
	t.Helper()
	v, blocks, err := event.NewVenue(p, uuid.New(), uuid.New(), now)
	if err != nil {
		t.Fatal(err)
	}
	return v, blocks
}

func TestBlocksAreWholeRows(t *testing.T) {
	for name, tc := range map[string]struct {
		sections [][]int // seats of each row of each section
		areas    []int
		want     []int // seats of each block
	}{
		"one seat":                          {sections: [][]int{{1}}, want: []int{1}},
		"rows that fit share a block":       {sections: [][]int{{100, 100, 100}}, want: []int{300}},
		"a row that doesn't fit goes on":    {sections: [][]int{{100, 100, 101}}, want: []int{200, 101}},
		"sections share no block":           {sections: [][]int{{10}, {10}}, want: []int{10, 10}},
		"a row of 300 is a block":           {sections: [][]int{{300, 1}}, want: []int{300, 1}},
		"a row of 301 is cut":               {sections: [][]int{{301}}, want: []int{300, 1}},
		"a row of 1,000 is cut":             {sections: [][]int{{1000}}, want: []int{300, 300, 300, 100}},
		"a cut row shares with no other":    {sections: [][]int{{50, 350, 50, 50}}, want: []int{50, 300, 50, 100}},
		"general admission of 1,050":        {areas: []int{1050}, want: []int{300, 300, 300, 150}},
		"general admission of 300":          {areas: []int{300}, want: []int{300}},
		"areas come after sections, apart":  {sections: [][]int{{20}}, areas: []int{5, 7}, want: []int{20, 5, 7}},
		"the greatest venue has its blocks": {areas: []int{99_000, 21_000}, want: slices.Concat(repeat(2000, 49), []int{1000}, repeat(2000, 10), []int{1000})},
		"sections of a large venue share":   {sections: large(64, 10, 20), want: repeat(400, 32)},
	} {
		t.Run(name, func(t *testing.T) {
			var p rest.NewVenue
			for i, rows := range tc.sections {
				p.Sections = append(p.Sections, section(fmt.Sprint("s", i), rows...))
			}
			for i, capacity := range tc.areas {
				p.Areas = append(p.Areas, area(fmt.Sprint("a", i), capacity))
			}
			v, blocks := newVenue(t, plan(p.Sections, p.Areas...))
			var got []int
			for _, b := range blocks {
				got = append(got, blockSize(b))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error("block sizes (-want +got):\n" + diff)
			}
			checkIDs(t, v, blocks)
		})
	}
}

// large returns that many sections of rows of one length.
func large(sections, rows, seats int) [][]int {
	all := make([][]int, sections)
	for i := range all {
		all[i] = repeat(seats, rows)
	}
	return all
}

func repeat(n, times int) []int {
	out := make([]int, times)
	for i := range out {
		out[i] = n
	}
	return out
}

func blockSize(b events.Block) (n int) {
	for _, r := range b.Rows {
		for _, run := range r.Runs {
			n += run.Count
		}
	}
	return n
}

// checkIDs checks that seat ids are in order and without gaps: block by block,
// starting at 0.
func checkIDs(t *testing.T, v *event.Venue, blocks []events.Block) {
	t.Helper()
	valid := regexp.MustCompile(`^[1-9][0-9]{0,5}-(0|[1-9][0-9]{0,3})$`)
	var ids, numbers []string
	var listed int
	for _, s := range v.Sections {
		for _, r := range s.Rows {
			for _, seat := range r.Seats {
				ids = append(ids, seat.ID)
			}
		}
		numbers = append(numbers, s.Blocks...)
	}
	for _, a := range v.Areas {
		numbers = append(numbers, a.Blocks...)
	}
	var want []string
	numbers = slices.Compact(numbers) // sections of a large venue share blocks
	for i, b := range blocks {
		if i >= len(numbers) || numbers[i] != fmt.Sprint(i+1) {
			t.Fatalf("the sections and areas list the blocks %v, want 1 to %d in order", numbers, len(blocks))
		}
		listed += blockSize(b)
		for j := range blockSize(b) {
			if !b.GeneralAdmission {
				want = append(want, fmt.Sprintf("%d-%d", i+1, j))
			}
		}
	}
	for _, id := range ids {
		if !valid.MatchString(id) {
			t.Fatalf("seat id %q", id)
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error("seat ids (-want +got):\n" + diff)
	}
	if v.SeatCount != listed || len(numbers) != len(blocks) {
		t.Errorf("seat_count %d of %d, %d of %d blocks", v.SeatCount, listed, len(numbers), len(blocks))
	}
}

func TestRowsAreRunLengthEncoded(t *testing.T) {
	number := func(seats []rest.NewSeat, numbers ...string) []rest.NewSeat {
		for i, n := range numbers {
			seats[i].Number = n
		}
		return seats
	}
	mixed := row("A", 5)
	mixed.Seats[1].Category, mixed.Seats[2].Category = "floor", "floor"
	mixed.Seats[0].Accessible, mixed.Seats[4].Blocked = true, true
	odd := row("B", 3)
	number(odd.Seats, "1", "3", "5")
	late := row("C", 2)
	number(late.Seats, "11", "12")
	zero := row("D", 2)
	number(zero.Seats, "0", "1")
	padded := row("E", 2)
	number(padded.Seats, "01", "02")

	p := plan([]rest.NewSection{{ID: "s", Name: "Stalls", Rows: []rest.NewRow{mixed, odd, late, zero, padded}}}, area("pit", 301))
	_, got := newVenue(t, p)
	front := func(n int) []events.Run { return []events.Run{{Category: "front", Count: n}} }
	want := []events.Block{
		{Section: "Stalls", Rows: []events.Row{
			{Label: "A", First: 1, Runs: []events.Run{{Category: "front", Count: 1}, {Category: "floor", Count: 2}, {Category: "front", Count: 2}}, Accessible: []int{0}, Blocked: []int{4}},
			{Label: "B", Numbers: []string{"1", "3", "5"}, Runs: front(3)},
			{Label: "C", First: 11, Runs: front(2)},
			{Label: "D", Numbers: []string{"0", "1"}, Runs: front(2)},
			{Label: "E", Numbers: []string{"01", "02"}, Runs: front(2)},
		}},
		{Section: "Area pit", GeneralAdmission: true, Rows: []events.Row{{First: 1, Runs: []events.Run{{Category: "floor", Count: 300}}}}},
		{Section: "Area pit", GeneralAdmission: true, Rows: []events.Row{{First: 301, Runs: []events.Run{{Category: "floor", Count: 1}}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("blocks (-want +got):\n" + diff)
	}
}

func TestKindOfCategoryIsSeatedOrStanding(t *testing.T) {
	mixed := section("s", 2)
	mixed.Rows[0].Seats[0].Category = "floor"
	for name, tc := range map[string]struct {
		plan rest.NewVenue
		want map[string]event.Kind
	}{
		"seats and area":   {plan([]rest.NewSection{section("s", 2)}, area("a", 2)), map[string]event.Kind{"front": event.Seated, "floor": event.GeneralAdmission}},
		"both in one":      {plan([]rest.NewSection{mixed}, area("a", 2)), map[string]event.Kind{"front": event.Seated, "floor": event.Mixed}},
		"nothing of floor": {plan([]rest.NewSection{section("s", 2)}), map[string]event.Kind{"front": event.Seated, "floor": event.Seated}},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := newVenue(t, tc.plan)
			if diff := cmp.Diff(tc.want, v.Facts().Kinds); diff != "" {
				t.Error(diff)
			}
		})
	}
}
