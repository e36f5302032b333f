package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/frontrow-tickets/frontrow/test/robustness/round"
)

// The chart's dimensions, in SVG units.
const (
	width, left, right = 1060, 62, 18
	rowHeight          = 20
	plotHeight         = 118
	plotGap            = 34
	// letterWidth exceeds the average width of a label's letters.
	letterWidth = 6.6
)

// chart is a round's time line: a bar for each fault, with the effects below
// it.
type chart struct {
	Width, Height int
	Left, Right   int
	TickX, TickY  int
	Bars          []bar
	Plots         []plot
	Ticks         []tick
}

type bar struct {
	X, Y, W float64
	// Healing is how long healing took, starting at HealX.
	Healing, HealX float64
	TextY          float64
	Label          string
	LabelX         float64
	Anchor         string
	Failed         bool
}

type plot struct {
	Title  string
	TitleY int
	Bottom int
	Lines  []line
	Legend []label
	Grid   []tick
}

type line struct{ Class, Path string }

type label struct {
	Class, Name string
	X           int
}

// tick is a mark on an axis; Below is the baseline of the text of a mark on the
// left axis.
type tick struct {
	At, Below float64
	Text      string
}

func newChart(r *round.Result) chart {
	end := r.Length.Seconds()
	if n := len(r.Series); n > 0 {
		end = max(end, float64(n))
	}
	c := chart{Width: width, Left: left, Right: width - right, TickX: left - 8}
	x := func(second float64) float64 {
		return round1(left + (width-left-right)*min(max(second, 0), end)/end)
	}
	// The series begins with the sale, the history with the enrolment.
	began := float64(r.SaleBegan) / 1e9
	for i, s := range r.Faults {
		from, to, healed := float64(s.Start)/1e9-began, float64(s.End)/1e9-began, float64(s.Healed)/1e9-began
		b := bar{
			X: x(from), Y: float64(8 + i*rowHeight), W: max(2, x(to)-x(from)), Failed: s.Error != "" || !s.Recovered,
			Label: s.Fault.String(),
		}
		b.Healing = max(0, x(healed)-b.X-b.W)
		b.HealX, b.TextY = b.X+b.W, b.Y+10.5
		b.LabelX, b.Anchor = b.X+b.W+b.Healing+6, "start"
		if b.LabelX+letterWidth*float64(len(b.Label)) > width {
			b.LabelX, b.Anchor = b.X-6, "end"
		}
		c.Bars = append(c.Bars, b)
	}
	top := 8 + len(r.Faults)*rowHeight + plotGap
	add := func(title string, unit float64, lines ...curve) {
		p := plot{Title: title, TitleY: top - 10, Bottom: top + plotHeight}
		most := unit
		for _, l := range lines {
			for i := range r.Series {
				most = max(most, l.value(&r.Series[i]))
			}
		}
		step := niceStep(most / 3)
		legend := 16 + 7*len(title)
		most = math.Ceil(most/step) * step
		y := func(v float64) float64 { return round1(float64(p.Bottom) - plotHeight*v/most) }
		for v := 0.0; v <= most+step/2; v += step {
			p.Grid = append(p.Grid, tick{y(v), y(v) + 4, fmt.Sprintf("%g", v)})
		}
		for _, l := range lines {
			var path strings.Builder
			for i := range r.Series {
				command := "L"
				if i == 0 {
					command = "M"
				}
				fmt.Fprintf(&path, "%s%g %g", command, x(float64(i)+0.5), y(l.value(&r.Series[i])))
			}
			p.Lines = append(p.Lines, line{l.class, path.String()})
			p.Legend = append(p.Legend, label{l.class, l.name, left + legend})
			legend += 14 + 7*len(l.name)
		}
		c.Plots = append(c.Plots, p)
		top = p.Bottom + plotGap
	}
	add("calls a second", 10, curve{"done", "done", func(s *round.Second) float64 { return float64(s.Done) }},
		curve{"failed", "failed or unknown", func(s *round.Second) float64 { return float64(s.Failed) }})
	add("holds a second", 5, curve{"holds", "won", func(s *round.Second) float64 { return float64(s.Holds) }},
		curve{"refused", "refused: the seats are taken", func(s *round.Second) float64 { return float64(s.Refused) }})
	add("median time of a hold, ms", 20, curve{"median", "", func(s *round.Second) float64 { return s.Median }})
	c.Height, c.TickY = top-plotGap+30, top-plotGap+20
	for v := 0; float64(v) <= end; v += timeStep(end) {
		c.Ticks = append(c.Ticks, tick{At: x(float64(v)), Text: fmt.Sprintf("%d:%02d", v/60, v%60)})
	}
	return c
}

type curve struct {
	class, name string
	value       func(*round.Second) float64
}

// timeStep returns the number of seconds between marks, so that there are at
// most a dozen.
func timeStep(end float64) int {
	step := 60
	for _, s := range []int{5, 10, 30} {
		if end/float64(s) <= 12 {
			step = min(step, s)
		}
	}
	return step
}

// niceStep rounds up to 1, 2 or 5 times a power of ten, at least 1.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(v, 1))))
	for _, n := range []float64{1, 2, 5, 10} {
		if n*power >= v {
			return n * power
		}
	}
	return 10 * power
}

func round1(v float64) float64 { return math.Round(v*10) / 10 }
