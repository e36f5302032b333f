package report

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
)

// Costs is the CPU time by process and kind of request: microseconds of each
// process per wanted response.
type Costs struct {
	Kinds     []string
	Processes []string
	// Micros has a row per process and a column per kind.
	Micros [][]float64
}

// CostsOf sums the slices of each kind. Processes are ordered by their cost for
// the last kind, the most expensive first.
func CostsOf(all []Slice) Costs {
	var c Costs
	total, wanted := map[string]cpu.Times{}, map[string]int{}
	for _, s := range all {
		if s.Wanted == 0 {
			continue
		}
		kind := s.Part + ": " + s.Kind
		if total[kind] == nil {
			total[kind] = cpu.Times{}
			c.Kinds = append(c.Kinds, kind)
		}
		total[kind].Add(s.CPU)
		wanted[kind] += s.Wanted
	}
	names := map[string]float64{}
	micros := func(process, kind string) float64 {
		return float64(total[kind][process].Microseconds()) / float64(wanted[kind])
	}
	for _, kind := range c.Kinds {
		for process := range total[kind] {
			names[process] += micros(process, kind)
		}
	}
	c.Processes = slices.SortedFunc(maps.Keys(names), func(a, b string) int {
		switch {
		case names[a] > names[b]:
			return -1
		case names[a] < names[b]:
			return 1
		}
		return 0
	})
	for _, process := range c.Processes {
		row := make([]float64, len(c.Kinds))
		for k, kind := range c.Kinds {
			row[k] = micros(process, kind)
		}
		c.Micros = append(c.Micros, row)
	}
	return c
}

// CPUTable prints the costs of the compared kinds.
func CPUTable(w io.Writer, all []Slice) {
	c := CostsOf(slices.DeleteFunc(slices.Clone(all), func(s Slice) bool { return s.Part != "compare" && s.Part != "saga" }))
	fmt.Fprintln(w, "processor time per wanted answer, µs")
	for k, kind := range c.Kinds {
		fmt.Fprintf(w, "  %c  %s\n", 'A'+k, kind)
	}
	fmt.Fprintf(w, "%-20s", "")
	for k := range c.Kinds {
		fmt.Fprintf(w, "%8c", 'A'+k)
	}
	fmt.Fprintln(w)
	for i, process := range c.Processes {
		fmt.Fprintf(w, "%-20s", process)
		for _, micros := range c.Micros[i] {
			fmt.Fprintf(w, "%8.0f", micros)
		}
		fmt.Fprintln(w)
	}
}
