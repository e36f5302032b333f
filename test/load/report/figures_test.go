package report

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values                 []float64
		least, median, largest float64
	}{
		{[]float64{3}, 3, 3, 3},
		{[]float64{9, 1, 5}, 1, 5, 9},
		{[]float64{4, 1, 3, 2}, 1, 2.5, 4},
	} {
		values := append([]float64(nil), c.values...)
		least, median, largest := Spread(c.values)
		if least != c.least || median != c.median || largest != c.largest {
			t.Errorf("%v: %v %v %v, want %v %v %v", c.values, least, median, largest, c.least, c.median, c.largest)
		}
		for i := range values {
			if values[i] != c.values[i] {
				t.Errorf("Spread changed the order of %v", values)
			}
		}
	}
	if _, median, _ := Spread(nil); !math.IsNaN(median) {
		t.Errorf("the median of nothing is %v", median)
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		f    Figure
		want string
	}{
		{Figure{Goal: .5, Values: []float64{.4, .5, .9}}, "met"},
		{Figure{Goal: .5, Values: []float64{.4, .49, .9}}, "missed"},
		{Figure{Goal: 3, AtMost: true, Values: []float64{3}}, "met"},
		{Figure{Goal: 3, AtMost: true, Values: []float64{3.01}}, "missed"},
		{Figure{Goal: 3, AtMost: true}, "not measured"},
		{Figure{Goal: NoGoal, Values: []float64{1}}, ""},
	} {
		if got := c.f.verdict(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.f, got, c.want)
		}
	}
}

func TestWriteJSONNamesUnmeasuredFigures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "bench.json")
	err := WriteJSON(path, []Figure{{Name: "a", Unit: "u", Goal: 2, Values: []float64{1, 2, 4}}, {Name: "b", Goal: 1, AtMost: true}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"median": 2`, `"max": 4`, `"goal": "≥ 2"`, `"min": null`, `"goal": "≤ 1"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %s in %s", want, text)
		}
	}
}
