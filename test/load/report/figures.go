// Package report writes the load test's results: a table, JSON, CSV and a page
// with charts.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/frontrow-tickets/frontrow/pkg/chart"
)

// Figure is one quantity, measured repeatedly.
type Figure struct {
	Name, Unit string
	// Goal is a bound for the median: a minimum, or a maximum if AtMost is set.
	// NaN means no goal.
	Goal   float64
	AtMost bool
	// Description describes the quantity.
	Description string
	Values      []float64
}

// NoGoal is the Goal of an informational figure.
var NoGoal = math.NaN()

// Spread returns the minimum, the median and the maximum. For an even number of
// values, the median is the mean of the middle two. Without values all are NaN.
func Spread(values []float64) (least, median, largest float64) {
	if len(values) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return sorted[0], (sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[n-1]
}

// HasGoal reports whether there is a goal.
func (f *Figure) HasGoal() bool { return !math.IsNaN(f.Goal) }

// Met reports whether the median meets the goal. An unmeasured figure does not.
func (f *Figure) Met() bool {
	_, median, _ := Spread(f.Values)
	if f.AtMost {
		return median <= f.Goal
	}
	return median >= f.Goal
}

func (f *Figure) goal() string {
	if !f.HasGoal() {
		return ""
	}
	sign := "≥"
	if f.AtMost {
		sign = "≤"
	}
	return sign + " " + chart.Number(f.Goal)
}

func (f *Figure) verdict() string {
	switch {
	case !f.HasGoal():
		return ""
	case len(f.Values) == 0:
		return "not measured"
	case f.Met():
		return "met"
	}
	return "missed"
}

// Table prints the figures.
func Table(w io.Writer, figures []Figure) {
	fmt.Fprintf(w, "%-20s %9s %9s %9s  %-9s %-12s %s\n", "", "min", "median", "max", "goal", "", "")
	for _, f := range figures {
		least, median, largest := Spread(f.Values)
		says := f.Description
		if f.Unit != "" {
			says += ", " + f.Unit
		}
		fmt.Fprintf(w, "%-20s %9s %9s %9s  %-9s %-12s %s\n", f.Name, chart.Number(least), chart.Number(median), chart.Number(largest), f.goal(), f.verdict(), says)
	}
}

type row struct {
	Name   string   `json:"name"`
	Min    *float64 `json:"min"`
	Median *float64 `json:"median"`
	Max    *float64 `json:"max"`
	Goal   string   `json:"goal"`
	Unit   string   `json:"unit"`
}

// WriteJSON writes the figures to a file, with null for unmeasured ones.
func WriteJSON(path string, figures []Figure) error {
	rows := make([]row, len(figures))
	for i, f := range figures {
		least, median, largest := Spread(f.Values)
		rows[i] = row{Name: f.Name, Min: known(least), Median: known(median), Max: known(largest), Goal: f.goal(), Unit: f.Unit}
	}
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return write(path, append(text, '\n'))
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
