package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

func sample(due, done time.Duration, status int) openloop.Sample {
	return openloop.Sample{Due: int64(due), Sent: int64(due), Done: int64(done), Status: status}
}

func TestSeriesCountsByTheTimeOfTheAnswer(t *testing.T) {
	r := openloop.Result{Samples: []openloop.Sample{
		sample(0, 50*time.Millisecond, 201), sample(10*time.Millisecond, 250*time.Millisecond, 201),
		sample(20*time.Millisecond, 120*time.Millisecond, 503), sample(130*time.Millisecond, 0, 0),
	}}
	got := Series(r, 100*time.Millisecond, func(status int) bool { return status == 201 })
	want := []Bucket{{At: .1, Due: 3, Wanted: 1}, {At: .2, Due: 1, Others: 1}, {At: .3, Wanted: 1}}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i].Due != want[i].Due || got[i].Wanted != want[i].Wanted || got[i].Others != want[i].Others {
			t.Errorf("bucket %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestCostsWeighRoundsByTheirAnswers(t *testing.T) {
	c := CostsOf([]Slice{
		{Part: "p", Kind: "k", Wanted: 100, CPU: cpu.Times{"gateway": 10 * time.Millisecond, "db": 50 * time.Millisecond}},
		{Part: "p", Kind: "k", Wanted: 300, CPU: cpu.Times{"gateway": 10 * time.Millisecond, "db": 70 * time.Millisecond}},
		{Part: "p", Kind: "none", Wanted: 0, CPU: cpu.Times{"gateway": time.Second}},
	})
	if len(c.Kinds) != 1 || c.Processes[0] != "db" || c.Micros[0][0] != 300 || c.Micros[1][0] != 50 {
		t.Errorf("%+v", c)
	}
}

// full is a page with every element.
func full() Page {
	h := openloop.NewHistogram()
	for v := range int64(2000) {
		_ = h.RecordValue(v + 1)
	}
	return Page{
		Figures: []Figure{{Name: "holds_per_s", Goal: 2000, Values: []float64{1, 2}}},
		Slices: []Slice{
			{Part: "half", Kind: "e hold", Delays: h, Wanted: 2000, ByStatus: map[int]int{201: 2000}, CPU: cpu.Times{"api-gateway": time.Second}},
			{Part: "half", Kind: "e hold", Delays: h, Wanted: 2000, ByStatus: map[int]int{201: 2000}},
		},
		OnSale: []Bucket{{At: .25, Due: 10, Wanted: 8}, {At: .5, Due: 10, Wanted: 10, Others: 2}},
	}
}

func TestPageStandsAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.html")
	if err := full().Write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, want := range []string{"holds_per_s", "missed", "<svg", "seats sold", "99.9 %", "api-gateway", "500"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, not := range []string{"http:", "https:", "src=", "NaN", "Inf", "%!"} {
		if strings.Contains(page, not) {
			t.Errorf("the page has %q", not)
		}
	}
	if n := strings.Count(page, "<svg"); n != 3 {
		t.Errorf("%d charts, want 3: two of the on-sale, one of delays", n)
	}
}

func TestCSVHasALineASlice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slices.csv")
	if err := WriteCSV(path, full().Slices); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "cpu_s api-gateway") || !strings.Contains(lines[1], "201:2000") || !strings.HasSuffix(lines[1], ",1.000") {
		t.Errorf("%q", lines)
	}
}
