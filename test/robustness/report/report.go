// Package report writes the page with the results of the rounds.
package report

import (
	"embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/robustness/check"
	"github.com/frontrow-tickets/frontrow/test/robustness/fault"
	"github.com/frontrow-tickets/frontrow/test/robustness/round"
)

//go:embed page.html
var files embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"chart": newChart, "seconds": seconds, "percent": percent,
}).ParseFS(files, "page.html"))

// Page is the content of the page.
type Page struct {
	When      time.Time
	Results   []*round.Result
	Mutants   []Mutant
	Catalogue []fault.Fault
	Missing   []string
	// Command returns the command that repeats a round.
	Command    func(*round.Result) string
	Operations int
	Unknown    int
	Violations int
	DoubleSold int
	Ledger     int64
	// Unseen are the rare cases that no round has seen.
	Unseen      []string
	RecoveryMax float64
}

// Mutant is a mutant and the round in which it was to be detected.
type Mutant struct {
	Name, What string
	// Breaks is the check that must detect it.
	Breaks string
	Result *round.Result
}

// Caught reports whether that check detected it.
func (m Mutant) Caught() bool { return slices.Contains(m.violatedChecks(), m.Breaks) }

// By names all checks that found a violation.
func (m Mutant) By() string { return strings.Join(m.violatedChecks(), ", ") }

func (m Mutant) violatedChecks() []string {
	var names []string
	for i := range m.Result.Verdicts {
		if v := &m.Result.Verdicts[i]; len(v.Violations) > 0 && !slices.Contains(names, v.ID) {
			names = append(names, v.ID)
		}
	}
	return names
}

// Proof returns the first violation that the check found.
func (m Mutant) Proof() check.Violation {
	for i := range m.Result.Verdicts {
		if v := &m.Result.Verdicts[i]; len(v.Violations) > 0 && v.ID == m.Breaks {
			return v.Violations[0]
		}
	}
	return check.Violation{}
}

// Folder is the folder of the mutant's round, relative to the page.
func (m Mutant) Folder() string { return "mutant-" + m.Name }

// OK reports whether all invariants held, every mutant was detected and every
// case seen.
func (p Page) OK() bool { return p.Passed() && len(p.Unseen) == 0 }

// Passed reports whether all invariants held and every mutant was detected.
func (p Page) Passed() bool {
	for _, m := range p.Mutants {
		if !m.Caught() {
			return false
		}
	}
	return p.Violations == 0 && p.DoubleSold == 0 && p.Ledger == 0
}

// Caught counts the detected mutants.
func (p Page) Caught() int {
	n := 0
	for _, m := range p.Mutants {
		if m.Caught() {
			n++
		}
	}
	return n
}

// Faults counts the faults injected in all rounds.
func (p Page) Faults() int {
	n := 0
	for _, r := range p.Results {
		n += len(r.Faults)
	}
	return n
}

// Cases counts the rare cases that must happen sometimes, in all rounds.
func (p Page) Cases() []Case {
	var list []Case
	for _, name := range round.Cases {
		c := Case{Name: name}
		for _, r := range p.Results {
			c.Times += int(r.Cases[name])
		}
		list = append(list, c)
	}
	return list
}

// Case is a rare case, and how often it was seen.
type Case struct {
	Name  string
	Times int
}

// Minutes is the duration of the sale in all rounds.
func (p Page) Minutes() float64 {
	var total time.Duration
	for _, r := range p.Results {
		total += r.Length
	}
	return total.Minutes()
}

// Coverage reports how much of the catalogue was used, by kind.
func (p Page) Coverage() []Kind {
	var kinds []Kind
	at := func(name string) *Kind {
		for i := range kinds {
			if kinds[i].Name == name {
				return &kinds[i]
			}
		}
		kinds = append(kinds, Kind{Name: name, used: map[string]bool{}})
		return &kinds[len(kinds)-1]
	}
	for _, f := range p.Catalogue {
		at(f.Kind).Possible++
	}
	for _, r := range p.Results {
		for _, s := range r.Faults {
			k := at(s.Fault.Kind)
			k.Times++
			k.used[s.Fault.Target+s.Fault.Detail] = true
		}
	}
	return kinds
}

// Kind is a kind of fault: the number of possible targets, the number of
// injections, and the targets used.
type Kind struct {
	Name     string
	Possible int
	Times    int
	used     map[string]bool
}

// Used counts the targets used.
func (k Kind) Used() int { return len(k.used) }

// Write writes the page into a folder and returns its path.
func Write(dir string, p Page) (path string, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "index.html")
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	if err := page.Execute(file, p); err != nil {
		_ = file.Close() // report the first error
		return "", err
	}
	return path, file.Close()
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}
