package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// TestLawOfAdmissionKeepsItsPromises sells out a quarter of the seats that
// `make queue-sim` sells.
func TestLawOfAdmissionKeepsItsPromises(t *testing.T) {
	limits := map[string]struct {
		// slow is the share of seconds with a p99 above the target; ratio is the
		// time to sell compared with the time without a queue.
		slow, ratio float64
	}{
		"steady":      {0, 1.3},
		"flash crowd": {0, 1.3},
		"slow payers": {0, 1.3},
		// Who has been admitted before the loss comes all the same.
		"replica lost": {0.15, 1.3},
		// Half of the people called are bots. Without a queue there are none.
		"bots": {0, 1.5},
	}
	sales := simulateAll(0.25, 1)
	if len(sales) != len(limits) {
		t.Errorf("%d patterns, want %d", len(sales), len(limits))
	}
	for _, s := range sales {
		t.Run(s.name, func(t *testing.T) {
			limit := limits[s.name]
			if largest, slow := s.with.p99(); slow > limit.slow {
				t.Errorf("in %.1f %% of the seconds the p99 is above the target, at most %s; want %.0f %%",
					100*slow, largest, 100*limit.slow)
			}
			if s.with.sold == 0 || s.ratio() > limit.ratio {
				t.Errorf("98 %% are sold after %s, without a queue after %s; want at most %g times that", s.with.sold, s.without.sold, limit.ratio)
			}
			if r := s.with; r.withoutSeats > 0 || r.beyondCrowd > 0 || r.intruders > 0 {
				t.Errorf("%d steps called people while no seat was available, %d beyond the crowd; %d people held without an admission",
					r.withoutSeats, r.beyondCrowd, r.intruders)
			}
			if s.with.called == 0 || s.with.holds == 0 {
				t.Errorf("%d people called, %d holds", s.with.called, s.with.holds)
			}
		})
	}
}

// TestCrowdFollowsCapacity sells an event whose seats are enough for far more
// people than can be served at once.
func TestCrowdFollowsCapacity(t *testing.T) {
	p := patterns(0.6)[3]
	p.lost, p.lostFor = 1, 0
	s := sale{pattern: p, with: simulate(p, events.QueueAlways, 1), without: simulate(p, events.QueueOff, 1)}
	if largest, slow := s.with.p99(); slow > 0 {
		t.Errorf("in %.1f %% of the seconds the p99 is above the target, at most %s", 100*slow, largest)
	}
	if _, slow := s.without.p99(); slow == 0 {
		t.Error("the sale would be served without a queue")
	}
	if s.with.sold == 0 || s.ratio() > 1.3 {
		t.Errorf("98 %% are sold after %s, without a queue after %s; want at most 1.3 times that", s.with.sold, s.without.sold)
	}
}

func TestSimulationIsDeterministic(t *testing.T) {
	run := func(seed uint64) result { return simulate(patterns(0.05)[1], events.QueueAlways, seed) }
	if diff := cmp.Diff(run(1).moments, run(1).moments, cmp.AllowUnexported(moment{})); diff != "" {
		t.Errorf("two runs with the same seed differ:\n%s", diff)
	}
	if cmp.Equal(run(1).moments, run(2).moments, cmp.AllowUnexported(moment{})) {
		t.Error("two runs with different seeds are equal")
	}
}

func TestReportStandsAlone(t *testing.T) {
	sales := simulateAll(0.02, 1)
	path := filepath.Join(t.TempDir(), "run", "queue-sim.html")
	if err := writeReport(path, sales); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(page), "<svg"); n != 4*len(sales) {
		t.Errorf("%d charts, want 4 for each of %d patterns", n, len(sales))
	}
	for _, bad := range []string{"<script", "src=", "href=", "NaN", "Inf"} {
		if strings.Contains(string(page), bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	var table strings.Builder
	if err := printTable(&table, sales); err != nil {
		t.Fatal(err)
	}
	for _, s := range sales {
		if !strings.Contains(table.String(), s.name) {
			t.Errorf("the table has no %s", s.name)
		}
	}
}
