// Command dashboards writes Grafana's dashboards: `go generate ./...` here.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

//go:generate go run . ../../charts/frontrow/files/dashboards

// board is one dashboard: rows of panels, each with a few queries.
type board struct {
	name, title string
	rows        []row
}

type row struct {
	title  string
	panels []panel
}

type panel struct {
	title, unit, says string
	queries           []query
}

// query of Prometheus; legend names its series.
type query struct{ legend, expr string }

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards FOLDER")
		os.Exit(2)
	}
	for _, b := range boards {
		if err := b.write(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
}

func (b board) write(folder string) error {
	encoded, err := b.encode()
	if err != nil {
		return fmt.Errorf("%s: %w", b.name, err)
	}
	return os.WriteFile(filepath.Join(folder, b.name+".json"), encoded, 0o644) //nolint:gosec // for everybody to read
}

func (b board) encode() ([]byte, error) {
	source := common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${source}")}
	//nolint:staticcheck // the schema that Grafana 10 reads as well
	built := dashboard.NewDashboardBuilder("Frontrow: "+b.title).Uid("frontrow-"+b.name).Tags([]string{"frontrow"}).
		Refresh("10s").Time("now-30m", "now").Timezone("browser").Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder("source").Label("Prometheus").Type("prometheus")).
		WithVariable(dashboard.NewQueryVariableBuilder("namespace").Label("Namespace").Datasource(source).
			Query(dashboard.StringOrMap{String: cog.ToPtr("label_values(http_request_duration_seconds_count, namespace)")}).
			Refresh(dashboard.VariableRefreshOnTimeRangeChanged).IncludeAll(true).AllValue(".*"))
	for _, r := range b.rows {
		built = built.WithRow(dashboard.NewRowBuilder(r.title))
		for _, p := range r.panels {
			drawn := timeseries.NewPanelBuilder().Title(p.title).Description(p.says).Unit(p.unit).Min(0).Datasource(source).
				Span(uint32(24 / len(r.panels))).Height(8).LineWidth(2).FillOpacity(8).ShowPoints(common.VisibilityModeNever).
				Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true))
			for i, q := range p.queries {
				drawn = drawn.WithTarget(prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend).RefId(string(rune('A' + i))).Range())
			}
			built = built.WithPanel(drawn)
		}
	}
	made, err := built.Build()
	if err != nil {
		return nil, err
	}
	encoded, err := json.MarshalIndent(made, "", "  ")
	return append(encoded, '\n'), err
}
