package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/robustness/mutant"
	"github.com/frontrow-tickets/frontrow/test/robustness/report"
	"github.com/frontrow-tickets/frontrow/test/robustness/round"
)

// figures are the totals of the rounds. Ledger is in minor units, times are in
// seconds.
type figures struct {
	Operations  int      `json:"operations"`
	Unknown     int      `json:"unknown"`
	Faults      int      `json:"faults"`
	Violations  int      `json:"violations"`
	DoubleSold  int      `json:"double_sold"`
	Ledger      int64    `json:"ledger_difference"`
	Caught      int      `json:"mutants_caught"`
	Unseen      []string `json:"cases_unseen"`
	RecoveryMax float64  `json:"recovery_max_s"`
	Seeds       []uint64 `json:"seeds"`
}

func (s *session) summarize() figures {
	f := figures{Seeds: []uint64{}, Unseen: []string{}}
	if len(s.results) > 0 {
		f.Unseen = round.Unseen(s.results)
	}
	for _, r := range s.results {
		f.Operations += r.Counts.Calls
		f.Unknown += r.Counts.Unknown
		f.Faults += len(r.Faults)
		f.Violations += r.Violations()
		f.DoubleSold += r.DoubleSold
		f.Ledger += r.LedgerDifference
		f.RecoveryMax = max(f.RecoveryMax, r.RecoveryMax().Seconds())
		f.Seeds = append(f.Seeds, r.Seed)
	}
	for _, m := range s.mutantResults {
		if m.Caught() {
			f.Caught++
		}
	}
	return f
}

// report writes the figures and the report. At the end it also prints them,
// and returns an error if anything is violated.
func (s *session) report(running bool) error {
	f := s.summarize()
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.figures), 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(s.figures, append(text, '\n'), 0o600); err != nil {
		return err
	}
	page, err := report.Write(s.out, report.Page{
		When: s.began, Results: s.results, Mutants: s.mutantResults, Catalogue: s.injector.Catalogue(), Missing: s.injector.Missing(),
		Command: s.command, Violations: f.Violations, RecoveryMax: f.RecoveryMax, Operations: f.Operations, Unknown: f.Unknown,
		DoubleSold: f.DoubleSold, Ledger: f.Ledger, Unseen: f.Unseen,
	})
	if err != nil {
		return err
	}
	if !running {
		s.print(f, page)
	}
	if !running && len(f.Unseen) > 0 ||
		f.Violations > 0 || f.DoubleSold > 0 || f.Ledger != 0 || len(s.mutantResults) > 0 && f.Caught < len(mutant.All) {
		return errFailed
	}
	return nil
}

// command returns the command that repeats one round.
func (s *session) command(r *round.Result) string {
	if s.instance == "" {
		return fmt.Sprintf("go run ./test/robustness -seed %d -duration %s -buyers %d", r.Seed, r.Length, r.Buyers)
	}
	return fmt.Sprintf("make robustness SEEDS=%d MINUTES=%g", r.Seed, r.Length.Minutes())
}

func (s *session) printVerdicts(r *round.Result) {
	s.progress("%s, seed %d: %d calls, %d faults, %d events", r.Name, r.Seed, r.Counts.Calls, len(r.Faults), r.Events)
	for i := range r.Verdicts {
		v := &r.Verdicts[i]
		mark := "ok    "
		if !v.OK() {
			mark = "FAILED"
		}
		s.progress("  %s  %-9s %s: %d %s%s", mark, v.ID, v.Title, v.Checked, v.Of, note(v.Note))
		if v.Undecided > 0 {
			s.progress("            %d undecided", v.Undecided)
		}
		for n, violation := range v.Violations {
			if n == 5 {
				s.progress("            and %d more", len(v.Violations)-n)
				break
			}
			s.progress("            %s", violation.What)
		}
	}
}

func note(text string) string {
	if text == "" {
		return ""
	}
	return "; " + text
}

func (s *session) print(f figures, page string) {
	fmt.Printf("\n  %-22s %8s %8s %7s %6s %10s %11s %10s\n", "", "seed", "calls", "unknown", "faults", "violations", "recovery", "settled")
	for _, r := range s.results {
		fmt.Printf("  %-22s %8d %8d %7d %6d %10d %9.1f s %8.0f s\n", r.Name, r.Seed, r.Counts.Calls, r.Counts.Unknown, len(r.Faults),
			r.Violations(), r.RecoveryMax().Seconds(), r.Settled.Seconds())
	}
	for _, m := range s.mutantResults {
		verdict := "NOT DETECTED"
		if m.Caught() {
			verdict = "detected by " + m.By()
		}
		fmt.Printf("  mutant %-15s %8d  %s: %s\n", m.Name, m.Result.Seed, verdict, m.What)
	}
	fmt.Printf("\n  %d calls, %d of unknown outcome; %d faults; %d violations; %d seats sold twice; ledger difference %d; recovery at most %.1f s\n",
		f.Operations, f.Unknown, f.Faults, f.Violations, f.DoubleSold, f.Ledger, f.RecoveryMax)
	if len(f.Unseen) > 0 {
		fmt.Printf("  cases never seen, so the rounds prove little: %s\n", strings.Join(f.Unseen, ", "))
	}
	fmt.Printf("  %s in all; the report is %s, the figures are in %s\n\n", time.Since(s.began).Round(time.Second), page, s.figures)
}
