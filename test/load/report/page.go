package report

import (
	_ "embed"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/frontrow-tickets/frontrow/pkg/chart"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"number": chart.Number,
	"goal":   func(f Figure) string { return f.goal() },
	"result": func(f Figure) string { return f.verdict() },
	"spread": func(f Figure) []string {
		least, median, largest := Spread(f.Values)
		return []string{chart.Number(least), chart.Number(median), chart.Number(largest)}
	},
}).Parse(pageSource))

// Page is the report with charts, as one self-contained file.
type Page struct {
	Figures []Figure
	Slices  []Slice
	// OnSale is the sale of a whole event.
	OnSale []Bucket
	Took   time.Duration
}

// Write writes the page to a file.
func (p Page) Write(path string) error {
	var out strings.Builder
	err := pageTemplate.Execute(&out, struct {
		Page
		Costs  Costs
		Charts []chartImage
	}{p, CostsOf(p.Slices), p.charts()})
	if err != nil {
		return err
	}
	return write(path, []byte(out.String()))
}

type chartImage struct {
	Title string
	SVG   template.HTML
}

func (p Page) charts() []chartImage {
	var all []chartImage
	add := func(title string, c chart.Chart) {
		all = append(all, chartImage{title, template.HTML(c.SVG())}) //nolint:gosec // drawn here, of numbers and our own words
	}
	if len(p.OnSale) > 0 {
		var due, wanted, others, sold chart.Line
		due.Name, wanted.Name, others.Name, sold.Name = "asked for", "held", "other answers", "seats"
		seats := 0
		before := 0.0
		for _, b := range p.OnSale {
			per := 1 / (b.At - before)
			before = b.At
			seats += 2 * b.Wanted
			due.Add(b.At, float64(b.Due)*per)
			wanted.Add(b.At, float64(b.Wanted)*per)
			others.Add(b.At, float64(b.Others)*per)
			sold.Add(b.At, float64(seats))
		}
		add("On sale: requests and answers a second", chart.Chart{X: "seconds", Y: "1/s", Lines: []chart.Line{due, wanted, others}})
		add("On sale: seats sold", chart.Chart{X: "seconds", Y: "seats", Lines: []chart.Line{sold}})
	}
	for _, part := range []struct{ part, title string }{
		{"half", "Delays at half of the most holds: by percentile"},
		{"compare", "Delays as fast as answers come: by percentile"},
		{"saga, half", "A whole purchase at half of the most: by percentile"},
		{"on sale", "On sale: delays by percentile"},
	} {
		if lines := p.percentiles(part.part); len(lines) > 0 {
			add(part.title, chart.Chart{X: "percentile", Y: "ms", LogY: true, Nines: true, Lines: lines})
		}
	}
	return all
}

// percentiles returns the delays of a part's kinds, over all rounds.
func (p Page) percentiles(part string) []chart.Line {
	var lines []chart.Line
	for k := range p.Slices {
		first := &p.Slices[k]
		if first.Part != part || first.Delays == nil || first.Delays.TotalCount() == 0 || drawn(lines, first.Kind) {
			continue
		}
		sum := hdrhistogram.Import(first.Delays.Export())
		for _, s := range p.Slices[k+1:] {
			if s.Part == part && s.Kind == first.Kind && s.Delays != nil {
				sum.Merge(s.Delays)
			}
		}
		l := chart.Line{Name: first.Kind}
		for nines := 0.0; nines <= math.Log10(float64(sum.TotalCount())); nines += .05 {
			l.Add(nines, float64(sum.ValueAtQuantile(100*(1-math.Pow(10, -nines))))/1000)
		}
		lines = append(lines, l)
	}
	return lines
}

func drawn(lines []chart.Line, name string) bool {
	for _, l := range lines {
		if l.Name == name {
			return true
		}
	}
	return false
}
