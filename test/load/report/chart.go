package report

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// chart is a line chart.
type chart struct {
	x, y  string
	lines []line
	// logY makes the y axis logarithmic. nines means that x counts the nines of
	// a percentile: 1 is 90 %, 2 is 99 %.
	logY, nines bool
}

type line struct {
	name   string
	points [][2]float64
}

func (l *line) add(x, y float64) { l.points = append(l.points, [2]float64{x, y}) }

const (
	width, height            = 760, 300
	left, right, top, bottom = 60, 150, 10, 40
)

// colours that are distinguishable with red-green colour blindness (Okabe, Ito
// 2008).
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

func (c chart) svg() string {
	var out strings.Builder
	maxX, minY, maxY := c.bounds()
	atX := func(x float64) float64 { return left + x/maxX*(width-left-right) }
	atY := func(y float64) float64 {
		share := y / maxY
		if c.logY {
			share = math.Log(max(y, minY)/minY) / math.Log(maxY/minY)
		}
		return height - bottom - share*(height-top-bottom)
	}
	fmt.Fprintf(&out, `<svg viewBox="0 0 %d %d" role="img">`, width, height)
	for _, tick := range c.ticksY(minY, maxY) {
		fmt.Fprintf(&out, `<path class="grid" d="M%d %.1fH%d"/><text class="y" x="%d" y="%.1f">%s</text>`,
			left, atY(tick), width-right, left-6, atY(tick)+4, number(tick))
	}
	for _, tick := range c.ticksX(maxX) {
		label := number(tick)
		if c.nines {
			label = fmt.Sprintf("%g %%", 100-math.Pow(10, 2-tick))
		}
		fmt.Fprintf(&out, `<text class="x" x="%.1f" y="%d">%s</text>`, atX(tick), height-bottom+16, label)
	}
	fmt.Fprintf(&out, `<text class="x" x="%d" y="%d">%s</text><text x="2" y="%d">%s</text>`,
		(left+width-right)/2, height-6, html.EscapeString(c.x), top+10, html.EscapeString(c.y))
	for i, l := range c.lines {
		colour := colours[i%len(colours)]
		fmt.Fprintf(&out, `<polyline fill="none" stroke="%s" stroke-width="1.6" points="`, colour)
		for _, p := range l.points {
			fmt.Fprintf(&out, "%.1f,%.1f ", atX(p[0]), atY(p[1]))
		}
		fmt.Fprintf(&out, `"/><text fill="%s" x="%d" y="%d">%s</text>`, colour, width-right+8, top+14+18*i, html.EscapeString(l.name))
	}
	out.WriteString("</svg>")
	return out.String()
}

// bounds returns the largest x and the range of y, in whole decades for a
// logarithmic axis.
func (c chart) bounds() (maxX, minY, maxY float64) {
	minY = math.Inf(1)
	for _, l := range c.lines {
		for _, p := range l.points {
			maxX, maxY = max(maxX, p[0]), max(maxY, p[1])
			if p[1] > 0 {
				minY = min(minY, p[1])
			}
		}
	}
	maxX, maxY = max(maxX, 1e-9), max(maxY, 1e-9)
	if c.logY {
		minY = math.Pow(10, math.Floor(math.Log10(min(minY, maxY))))
		maxY = math.Pow(10, math.Ceil(math.Log10(maxY)))
		if minY == maxY {
			maxY *= 10
		}
	}
	return maxX, minY, maxY
}

func (c chart) ticksY(least, most float64) []float64 {
	if !c.logY {
		return even(most)
	}
	var ticks []float64
	for t := least; t <= most*1.001; t *= 10 {
		ticks = append(ticks, t)
	}
	return ticks
}

func (c chart) ticksX(most float64) []float64 {
	if !c.nines {
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

func hdrCopy(h *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	return hdrhistogram.Import(h.Export())
}
