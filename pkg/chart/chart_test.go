package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestSVGIsWellFormed(t *testing.T) {
	line := Line{Name: "a < b"}
	for x := range 10 {
		line.Add(float64(x), float64(x*x))
	}
	for _, c := range []Chart{
		{X: "s", Y: "1/s", Lines: []Line{line}},
		{X: "percentile", Y: "ms", Lines: []Line{line}, LogY: true, Nines: true},
		{},
	} {
		d := xml.NewDecoder(strings.NewReader(c.SVG()))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, c.SVG())
			}
		}
		if strings.Contains(c.SVG(), "NaN") || strings.Contains(c.SVG(), "Inf") {
			t.Errorf("not a number in %s", c.SVG())
		}
	}
}

func TestNumberHasThreeDigits(t *testing.T) {
	for want, v := range map[string]float64{"0": 0, "0.12": .123, "12.3": 12.34, "1234": 1234.4, "7": 7} {
		if got := Number(v); got != want {
			t.Errorf("%g is %q, want %q", v, got, want)
		}
	}
}
