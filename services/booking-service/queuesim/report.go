package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/chart"
)

//go:embed report.html
var reportSource string

var reportTemplate = template.Must(template.New("report").Parse(reportSource))

// smooth is over how many seconds rates are averaged.
const smooth = 5

// columns of the table. Times are with the queue / without it.
var columns = []string{
	"", "seats", "people", "largest p99", "above target", "no seat left", "98 % sold", "ratio", "called", "in vain",
}

// row returns the sale's line in the table.
func (s sale) row() []string {
	largest, slow := s.with.p99()
	largestWithout, _ := s.without.p99()
	return []string{
		s.name, fmt.Sprint(s.seats), fmt.Sprint(s.people + s.arrivals),
		fmt.Sprintf("%s / %s s", seconds(largest), seconds(largestWithout)), fmt.Sprintf("%.0f %%", 100*slow),
		fmt.Sprintf("%.0f / %.0f s", s.with.allHeld.Seconds(), s.without.allHeld.Seconds()),
		fmt.Sprintf("%.0f / %.0f s", s.with.sold.Seconds(), s.without.sold.Seconds()), fmt.Sprintf("%.2f", s.ratio()),
		fmt.Sprint(s.with.called), fmt.Sprint(s.with.inVain),
	}
}

// ratio compares the times to sell with the queue and without it.
func (s sale) ratio() float64 { return s.with.sold.Seconds() / s.without.sold.Seconds() }

func seconds(d time.Duration) string { return chart.Number(float64(d.Milliseconds()) / 1000) }

func printTable(w io.Writer, sales []sale) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(columns, "\t"))
	for _, s := range sales {
		fmt.Fprintln(table, strings.Join(s.row(), "\t"))
	}
	return table.Flush()
}

// writeReport writes a page that needs no other file.
func writeReport(path string, sales []sale) error {
	type image struct {
		Title string
		SVG   template.HTML
	}
	type section struct {
		Title, About, Reasons string
		Images                []image
	}
	page := struct {
		Columns  []string
		Rows     [][]string
		Sections []section
	}{Columns: columns}
	for _, s := range sales {
		page.Rows = append(page.Rows, s.row())
		one := section{Title: s.name, About: s.about, Reasons: s.reasons()}
		for _, c := range s.charts() {
			svg := template.HTML(c.chart.SVG()) //nolint:gosec // drawn here, of numbers and our own words
			one.Images = append(one.Images, image{c.title, svg})
		}
		page.Sections = append(page.Sections, one)
	}
	var text strings.Builder
	if err := reportTemplate.Execute(&text, page); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text.String()), 0o644) //nolint:gosec // a report for everybody
}

// reasons says what limited admissions, and for how many seconds.
func (s sale) reasons() string {
	n := map[rest.AdmissionReason]int{}
	for _, m := range s.with.moments {
		n[m.reason]++
	}
	reasons := slices.SortedFunc(maps.Keys(n), func(a, b rest.AdmissionReason) int {
		return cmp.Or(n[b]-n[a], cmp.Compare(a, b))
	})
	parts := make([]string, len(reasons))
	for i, reason := range reasons {
		parts[i] = fmt.Sprintf("%s %d s", reason, n[reason])
	}
	return strings.Join(parts, ", ")
}

type titledChart struct {
	title string
	chart chart.Chart
}

// charts returns the charts of a sale.
func (s sale) charts() []titledChart {
	line := func(name string, r result, value func(moment) float64) chart.Line {
		l := chart.Line{Name: name}
		for _, m := range r.moments {
			l.Add(m.at.Seconds(), value(m))
		}
		return l
	}
	rate := func(name string, r result, count func(moment) int) chart.Line {
		l := chart.Line{Name: name}
		for i := smooth; i < len(r.moments); i += smooth {
			sum := 0
			for _, m := range r.moments[i-smooth : i] {
				sum += count(m)
			}
			l.Add(r.moments[i].at.Seconds(), float64(sum)/smooth)
		}
		return l
	}
	called, holds := func(m moment) int { return m.called }, func(m moment) int { return m.holds }
	p99 := func(m moment) float64 { return max(1, float64(m.p99.Milliseconds())) }
	available, sold := func(m moment) float64 { return float64(m.available) }, func(m moment) float64 { return float64(m.sold) }
	return []titledChart{
		{"People called and holds a second", chart.Chart{X: "seconds", Y: "1/s", Lines: []chart.Line{
			rate("called", s.with, called), rate("holds", s.with, holds), rate("holds, no queue", s.without, holds),
		}}},
		{"The crowd", chart.Chart{X: "seconds", Y: "people", Lines: []chart.Line{
			line("limit", s.with, func(m moment) float64 { return m.limit }),
			line("called, shopping", s.with, func(m moment) float64 { return float64(m.current) }),
			line("of them idle", s.with, func(m moment) float64 { return float64(m.idle) }),
		}}},
		{"p99 of a hold", chart.Chart{X: "seconds", Y: "ms", LogY: true, Lines: []chart.Line{
			line("with the queue", s.with, p99), line("target", s.with, func(moment) float64 { return float64(target.Milliseconds()) }),
			line("no queue", s.without, p99),
		}}},
		{"Seats", chart.Chart{X: "seconds", Y: "seats", Lines: []chart.Line{
			line("available", s.with, available), line("sold", s.with, sold), line("sold, no queue", s.without, sold),
		}}},
	}
}
