package report

import (
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
)

// Slice is one period of load and its outcome.
type Slice struct {
	// Part names the purpose, Kind the kind of request, and Round the
	// repetition.
	Part, Kind string
	Round      int
	// Offered is the arrival rate per second; 0 means as fast as responses
	// arrived.
	Offered float64
	Seconds float64
	// Wanted counts the wanted responses.
	Requests, Wanted, Retryable, Unsent int
	PerSecond                           float64
	ByStatus                            map[int]int
	// Delays of the wanted and of the other responses, in microseconds.
	Delays, OtherDelays *hdrhistogram.Histogram
	CPU                 cpu.Times
}

// Quantile returns the delay in milliseconds that a fraction q of the wanted
// responses did not exceed.
func (s *Slice) Quantile(q float64) float64 {
	if s.Delays == nil || s.Delays.TotalCount() == 0 {
		return 0
	}
	return float64(s.Delays.ValueAtQuantile(100*q)) / 1000
}

// String returns the slice in one line.
func (s *Slice) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%7.0f/s", s.PerSecond)
	if s.Offered > 0 {
		fmt.Fprintf(&out, " of %.0f", s.Offered)
	}
	fmt.Fprintf(&out, "  p50 %.1f  p99 %.1f  p99.9 %.1f ms  ", s.Quantile(.5), s.Quantile(.99), s.Quantile(.999))
	for _, status := range slices.Sorted(maps.Keys(s.ByStatus)) {
		name := strconv.Itoa(status)
		if status == 0 {
			name = "no answer"
		}
		fmt.Fprintf(&out, " %s: %d", name, s.ByStatus[status])
	}
	return out.String()
}

// CPUPer returns the CPU time per wanted response, in microseconds.
func (s *Slice) CPUPer(process string) float64 {
	return float64(s.CPU[process].Microseconds()) / float64(max(s.Wanted, 1))
}

// WriteCSV writes the slices to a file, one per line.
func WriteCSV(path string, all []Slice) error {
	names := map[string]bool{}
	for _, s := range all {
		for name := range s.CPU {
			names[name] = true
		}
	}
	processes := slices.Sorted(maps.Keys(names))
	head := []string{
		"part", "kind", "round", "offered_per_s", "seconds", "requests", "wanted", "wanted_per_s",
		"p50_ms", "p90_ms", "p99_ms", "p99.9_ms", "max_ms", "by_status", "retry_after", "unsent",
	}
	for _, p := range processes {
		head = append(head, "cpu_s "+p)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	out := csv.NewWriter(file)
	// A write failure is reported by out.Error below.
	_ = out.Write(head)
	for _, s := range all {
		statuses := make([]string, 0, len(s.ByStatus))
		for _, status := range slices.Sorted(maps.Keys(s.ByStatus)) {
			statuses = append(statuses, fmt.Sprintf("%d:%d", status, s.ByStatus[status]))
		}
		line := []string{
			s.Part, s.Kind, strconv.Itoa(s.Round), decimal(s.Offered), decimal(s.Seconds), strconv.Itoa(s.Requests),
			strconv.Itoa(s.Wanted), decimal(s.PerSecond), decimal(s.Quantile(.5)), decimal(s.Quantile(.9)), decimal(s.Quantile(.99)),
			decimal(s.Quantile(.999)), decimal(s.Quantile(1)), strings.Join(statuses, " "), strconv.Itoa(s.Retryable), strconv.Itoa(s.Unsent),
		}
		for _, p := range processes {
			line = append(line, decimal(s.CPU[p].Round(time.Millisecond).Seconds()))
		}
		_ = out.Write(line)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return err
	}
	return file.Close()
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
