// Package check checks the clients' history and the stores' contents against
// the invariants. It asks no service.
package check

import (
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/robustness/traffic"
)

// Evidence is everything that a round records.
type Evidence struct {
	Recorder *history.Recorder
	Sales    []*traffic.Sale
	// Books maps each event id to its books, read after the system has settled.
	Books map[string]*audit.Books
	// Users maps accounts to the crowd's names.
	Users map[string]string
	Views []traffic.View
	// Oversold is the highest value of oversold_seats_total at any replica.
	Oversold float64
	// Outages are the times when a gateway, or all processes of another kind,
	// were unavailable.
	Outages []Outage
	// Gateways lists all gateways.
	Gateways []string
	// Open describes what had not ended when the timeout expired.
	Open []string
	// Pictures is the folder for porcupine's visualizations.
	Pictures string
}

// Outage is a period without a gateway, or without any process of another kind.
type Outage struct {
	Of string
	// Process is the gateway, or empty for other kinds.
	Process string `json:",omitempty"`
	// Start and End are in nanoseconds since the round began: the last time it
	// was known to be up before, and the first time after.
	Start, End int64
}

// Kinds of outage that excuse failures.
const (
	// NoGateway means that one gateway is down.
	NoGateway = "gateway"
	NoBooking = "booking-service"
	// NoQuorum: Cassandra can't run Paxos, so no decision is possible.
	NoQuorum = "cassandra"
	// NoSource: a newly started gateway finds no copy of an event.
	NoSource = "event-service"
)

// Violation is one violated invariant.
type Violation struct {
	What string `json:"what"`
	// Picture is the file with porcupine's visualization, if there is one.
	Picture string `json:"picture,omitempty"`
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

func (v *Verdict) broken(format string, arguments ...any) {
	v.Violations = append(v.Violations, Violation{What: fmt.Sprintf(format, arguments...)})
}

// All checks the evidence against every invariant.
func All(e *Evidence) []Verdict {
	c := &court{Evidence: e, calls: e.Recorder.Calls()}
	c.hear()
	return []Verdict{
		c.seats(), c.stores(), c.promises(), c.money(), c.outbox(), c.deadlines(), c.retries(), c.seen(), c.settled(),
	}
}

func (e *Evidence) excused(start, end int64, kind string) bool {
	for _, o := range e.Outages {
		if o.Of == kind && start <= o.End && end >= o.Start {
			return true
		}
	}
	return false
}

func seconds(nanoseconds int64) string {
	return fmt.Sprintf("%.3f s", time.Duration(nanoseconds).Seconds())
}
