package check

import "fmt"

// Violation is one violated invariant.
type Violation struct {
	What string `json:"what"`
	// Visualization is the file with porcupine's visualization, if there is one.
	Visualization string `json:"picture,omitempty"`
}

// Verdict is the result of checking one invariant.
type Verdict struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Checked counts the checks, in the unit named by Of.
	Checked int    `json:"checked"`
	Of      string `json:"of"`
	// Undecided counts the checks that ran out of time.
	Undecided  int         `json:"undecided,omitempty"`
	Violations []Violation `json:"violations,omitempty"`
	// Excused counts the failures excused by an outage.
	Excused int `json:"excused,omitempty"`
	// Note is an additional figure.
	Note string `json:"note,omitempty"`
}

// OK reports whether everything was checked and nothing is violated.
func (v *Verdict) OK() bool { return len(v.Violations) == 0 && v.Undecided == 0 }

func (v *Verdict) violated(format string, arguments ...any) {
	v.Violations = append(v.Violations, Violation{What: fmt.Sprintf(format, arguments...)})
}
