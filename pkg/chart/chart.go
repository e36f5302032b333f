// Package chart draws line charts as SVG.
package chart

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Chart is a line chart. Both axes begin at 0.
type Chart struct {
	// X and Y label the axes.
	X, Y  string
	Lines []Line
	// LogY makes the y axis logarithmic. Nines means that x counts the nines of
	// a percentile: 1 is 90 %, 2 is 99 %.
	LogY, Nines bool
}

// Line is a line of a chart.
type Line struct {
	Name   string
	Points [][2]float64
}

// Add adds a point.
func (l *Line) Add(x, y float64) { l.Points = append(l.Points, [2]float64{x, y}) }

const (
	width, height            = 760, 300
	left, right, top, bottom = 60, 150, 24, 40
)

// colours that are distinguishable with red-green colour blindness (Okabe, Ito
// 2008).
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// SVG returns the chart as an SVG element. The classes grid, x and y are left to
// the style of the page.
func (c Chart) SVG() string {
	var out strings.Builder
	maxX, minY, maxY := c.bounds()
	atX := func(x float64) float64 { return left + x/maxX*(width-left-right) }
	atY := func(y float64) float64 {
		share := y / maxY
		if c.LogY {
			share = math.Log(max(y, minY)/minY) / math.Log(maxY/minY)
		}
		return height - bottom - share*(height-top-bottom)
	}
	fmt.Fprintf(&out, `<svg viewBox="0 0 %d %d" role="img">`, width, height)
	for _, tick := range c.ticksY(minY, maxY) {
		fmt.Fprintf(&out, `<path class="grid" d="M%d %.1fH%d"/><text class="y" x="%d" y="%.1f">%s</text>`,
			left, atY(tick), width-right, left-6, atY(tick)+4, Number(tick))
	}
	for _, tick := range c.ticksX(maxX) {
		label := Number(tick)
		if c.Nines {
			label = fmt.Sprintf("%g %%", 100-math.Pow(10, 2-tick))
		}
		fmt.Fprintf(&out, `<text class="x" x="%.1f" y="%d">%s</text>`, atX(tick), height-bottom+16, label)
	}
	fmt.Fprintf(&out, `<text class="x" x="%d" y="%d">%s</text><text x="2" y="%d">%s</text>`,
		(left+width-right)/2, height-6, html.EscapeString(c.X), top-12, html.EscapeString(c.Y))
	for i, l := range c.Lines {
		colour := colours[i%len(colours)]
		fmt.Fprintf(&out, `<polyline fill="none" stroke="%s" stroke-width="1.6" points="`, colour)
		for _, p := range l.Points {
			fmt.Fprintf(&out, "%.1f,%.1f ", atX(p[0]), atY(p[1]))
		}
		fmt.Fprintf(&out, `"/><text fill="%s" x="%d" y="%d">%s</text>`, colour, width-right+8, top+14+18*i, html.EscapeString(l.Name))
	}
	out.WriteString("</svg>")
	return out.String()
}

// bounds returns the largest x and the range of y, in whole decades for a
// logarithmic axis.
func (c Chart) bounds() (maxX, minY, maxY float64) {
	minY = math.Inf(1)
	for _, l := range c.Lines {
		for _, p := range l.Points {
			maxX, maxY = max(maxX, p[0]), max(maxY, p[1])
			if p[1] > 0 {
				minY = min(minY, p[1])
			}
		}
	}
	maxX, maxY = max(maxX, 1e-9), max(maxY, 1e-9)
	if c.LogY {
		minY = math.Pow(10, math.Floor(math.Log10(min(minY, maxY))))
		maxY = math.Pow(10, math.Ceil(math.Log10(maxY)))
		if minY == maxY {
			maxY *= 10
		}
	}
	return maxX, minY, maxY
}

func (c Chart) ticksY(least, most float64) []float64 {
	if !c.LogY {
		return even(most)
	}
	var ticks []float64
	for t := least; t <= most*1.001; t *= 10 {
		ticks = append(ticks, t)
	}
	return ticks
}

func (c Chart) ticksX(most float64) []float64 {
	if !c.Nines {
		return even(most)
	}
	var ticks []float64
	for t := 0.0; t <= most; t++ {
		ticks = append(ticks, t)
	}
	return ticks
}

// even returns four to ten round numbers from 0 to most.
func even(most float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10(most)))
	for most/step < 4 {
		step /= 2
	}
	ticks := make([]float64, 0, 11)
	for t := 0.0; t <= most; t += step {
		ticks = append(ticks, t)
	}
	return ticks
}

// Number formats a value with three significant digits.
func Number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.Abs(v) >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
