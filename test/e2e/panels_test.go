package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// panel is a dashboard panel, as in Grafana's JSON.
type panel struct {
	Title       string `json:"title"`
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
		Expr   string `json:"expr"`
		Legend string `json:"legendFormat"`
	} `json:"targets"`
}

type dashboard struct {
	Title  string  `json:"title"`
	Panels []panel `json:"panels"`
}

func readDashboard(t *testing.T, file string) dashboard {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var board dashboard
	if err := json.Unmarshal(content, &board); err != nil {
		t.Fatal(err)
	}
	return board
}

// query returns a target's expression with Grafana's variables replaced.
func query(expr string) string {
	return strings.NewReplacer("$__rate_interval", "30s", "$namespace", ".*").Replace(expr)
}

// units maps Grafana's names to units.
var units = map[string]string{"ops": " (1/s)", "s": " (s)"}

// drawPanels saves an image of a dashboard's panels since a time.
func drawPanels(t *testing.T, prometheus prometheusServer, board dashboard, since time.Time, file string) {
	t.Helper()
	const columns = 3
	var plots [][]*plot.Plot
	for _, panel := range board.Panels {
		if len(panel.Targets) == 0 {
			continue
		}
		if n := len(plots); n == 0 || len(plots[n-1]) == columns {
			plots = append(plots, make([]*plot.Plot, 0, columns))
		}
		row := &plots[len(plots)-1]
		*row = append(*row, drawPanel(t, prometheus, panel, since))
	}
	for last := len(plots) - 1; len(plots[last]) < columns; {
		empty := plot.New()
		empty.HideAxes()
		plots[last] = append(plots[last], empty)
	}
	picture := vgimg.New(columns*12*vg.Centimeter, vg.Length(len(plots))*7*vg.Centimeter)
	canvas := draw.New(picture)
	margin := 4 * vg.Millimeter
	tiles := draw.Tiles{Rows: len(plots), Cols: columns, PadX: margin, PadY: margin, PadTop: margin, PadBottom: margin, PadLeft: margin, PadRight: margin}
	for y, canvases := range plot.Align(plots, tiles, canvas) {
		for x, tile := range canvases {
			plots[y][x].Draw(tile)
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (vgimg.PngCanvas{Canvas: picture}).WriteTo(out); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func drawPanel(t *testing.T, prometheus prometheusServer, p panel, since time.Time) *plot.Plot {
	t.Helper()
	drawn := plot.New()
	drawn.Title.Text = p.Title + units[p.FieldConfig.Defaults.Unit]
	drawn.X.Label.Text = "s"
	drawn.Legend.Top, drawn.Legend.Left = true, true
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{230}, color.Gray{230}
	drawn.Add(grid)
	number := 0
	for _, target := range p.Targets {
		list, err := prometheus.over(t.Context(), query(target.Expr), since)
		if err != nil {
			t.Fatalf("%s: %v", p.Title, err)
		}
		for _, series := range list {
			line, err := plotter.NewLine(series.points)
			if err != nil {
				t.Fatalf("%s: %v", p.Title, err)
			}
			line.Color = plotutil.Color(number)
			number++
			drawn.Add(line)
			drawn.Legend.Add(legend(target.Legend, series.labels), line)
		}
	}
	// Start at 0, and leave room for the legend above the lines. Lines without
	// data are at the bottom.
	drawn.Y.Min = 0
	if drawn.Y.Max *= 1 + .12*float64(number); drawn.Y.Max <= 0 {
		drawn.Y.Max = 1
	}
	return drawn
}

// legend replaces {{label}} with labels.
func legend(format string, labels map[string]string) string {
	for name, value := range labels {
		format = strings.ReplaceAll(format, "{{"+name+"}}", value)
	}
	return format
}

// series is a time series; x is in seconds since the start.
type series struct {
	labels map[string]string
	points plotter.XYs
}

// over returns a query's result for each second since a time.
func (p prometheusServer) over(ctx context.Context, query string, since time.Time) ([]series, error) {
	var result []struct {
		Metric map[string]string `json:"metric"`
		Values [][2]any          `json:"values"`
	}
	parameters := url.Values{"query": {query}, "start": {unix(since)}, "end": {unix(time.Now())}, "step": {"1"}}
	if err := p.ask(ctx, "/api/v1/query_range", parameters, &result); err != nil {
		return nil, err
	}
	list := make([]series, 0, len(result))
	for _, r := range result {
		s := series{labels: r.Metric}
		for _, v := range r.Values {
			at, _ := v[0].(float64)
			text, _ := v[1].(string)
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, err
			}
			// A quantile without data is NaN.
			if !math.IsNaN(value) {
				s.points = append(s.points, plotter.XY{X: at - float64(since.UnixMilli())/1000, Y: value})
			}
		}
		if len(s.points) > 0 {
			list = append(list, s)
		}
	}
	return list, nil
}

func unix(t time.Time) string { return fmt.Sprintf("%.3f", float64(t.UnixMilli())/1000) }
