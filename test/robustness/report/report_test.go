package report

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/test/robustness/check"
	"github.com/frontrow-tickets/frontrow/test/robustness/fault"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/robustness/round"
)

func newResult(name string, violations ...check.Violation) *round.Result {
	r := &round.Result{
		Name: name, Seed: 3, Length: 4 * time.Minute, Buyers: 36, Events: 9, Settled: 7 * time.Second, Folder: "seed-3",
		Counts: round.Counts{Calls: 12034, Done: 10020, NotDone: 1900, Unknown: 114, ByKind: map[history.Kind][]int{}},
		Verdicts: []check.Verdict{
			{ID: "I1", Title: "A seat belongs to at most one live booking", Checked: 1810, Of: "seats", Violations: violations},
			{ID: "I4", Title: "Every hold ends at most 5 s after its deadline", Checked: 900, Of: "holds", Excused: 3, Note: "the latest 2.9 s"},
		},
	}
	dice := rand.New(rand.NewPCG(1, 1))
	for at := range 260 {
		s := round.Second{At: at, Done: 60 + dice.IntN(20), Holds: 9 + dice.IntN(6), Refused: 4 + dice.IntN(5), Median: 20 + 10*dice.Float64()}
		if at%60 > 40 {
			s = round.Second{At: at, Done: 12, Failed: 30 + dice.IntN(20), Holds: 1, Median: 400}
		}
		r.Series = append(r.Series, s)
	}
	for i, f := range []fault.Fault{
		{Kind: "kill", Target: "booking-service-1"},
		{Kind: "pause", Target: "cassandra-2", Duration: 28 * time.Second},
		{Kind: "cut", Target: "booking-service-3:kafka", Detail: "it hangs", Duration: 9 * time.Second},
		{Kind: "disk-full", Target: "postgres", Duration: 7 * time.Second},
	} {
		start := int64(10+55*i) * 1e9
		r.Faults = append(r.Faults, round.Injection{
			Fault: f, Start: start, End: start + f.Duration.Nanoseconds(), Healed: start + f.Duration.Nanoseconds() + 6e9,
			Recovery: 1200 * time.Millisecond, Gap: 4 * time.Second, Recovered: i < 3,
		})
	}
	return r
}

func TestPageShowsViolations(t *testing.T) {
	dir := t.TempDir()
	violation := check.Violation{What: "the history of seat <b> is not linearizable", Visualization: "seat-1.html"}
	path, err := Write(dir, Page{
		When: time.Now(), Results: []*round.Result{newResult("round 1 of 2"), newResult("round 2 of 2", violation)},
		Mutants: []Mutant{
			{Name: "append-unconditional", What: "entries are appended whatever the head is", Breaks: "I1", Result: newResult("mutant", violation)},
			{Name: "cursor-early", What: "the cursor moves before Kafka has acknowledged", Breaks: "outbox", Result: newResult("mutant")},
		},
		Catalogue:  []fault.Fault{{Kind: "kill", Target: "booking-service-1"}, {Kind: "kill", Target: "kafka"}, {Kind: "deploy", Target: "all"}},
		Missing:    []string{"disk-full: Postgres has no disk of its own"},
		Command:    func(*round.Result) string { return "make robustness SEEDS=3" },
		Operations: 24068, Unknown: 228, Violations: 1, RecoveryMax: 12.3,
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"An invariant is violated", "make robustness SEEDS=3", "the history of seat &lt;b&gt;", `href="seed-3/seat-1.html"`, `href="mutant-append-unconditional/seat-1.html"`,
		"kill booking-service-1", "cut booking-service-3:kafka (it hangs)", "none within", "1 of 2", "detected by", "Not possible here: disk-full", "</html>",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, never := range []string{"http://", "https://", "<script", "ZgotmplZ", "NaN"} {
		if strings.Contains(string(page), never) {
			t.Errorf("the page has %q in it", never)
		}
	}
}

func TestPageWithoutViolationsSaysSo(t *testing.T) {
	path, err := Write(t.TempDir(), Page{
		Results: []*round.Result{newResult("round 1 of 1")}, Command: func(*round.Result) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "Nothing was sold twice") || strings.Contains(string(page), "invariant is violated") {
		t.Error("a page without violations does not say that all held")
	}
}

func TestPageNamesUnseenCases(t *testing.T) {
	seen := newResult("round 1 of 1")
	seen.Cases = map[string]float64{"takeover": 5}
	path, err := Write(t.TempDir(), Page{
		Results: []*round.Result{seen}, Command: func(*round.Result) string { return "" }, Unseen: []string{"lost_append"},
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Not all cases were seen", `lost_append</td><td class="n"><span class="bad">never`, `takeover</td><td class="n">5`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
