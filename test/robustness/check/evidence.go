// Package check holds what clients were told and what the stores have against
// the invariants. It asks no service.
package check

import (
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/robustness/traffic"
)

// Evidence is all that a round leaves behind.
type Evidence struct {
	Recorder *history.Recorder
	Sales    []*traffic.Sale
	// Books of each event, by its id, read after the dust has settled.
	Books map[string]*audit.Books
	// Users have the crowd's names by account.
	Users map[string]string
	Views []traffic.View
	// Oversold is the highest value of oversold_seats_total seen at any replica.
	Oversold float64
	// Outages are the times at which each gateway, or all processes of another
	// kind, were unavailable.
	Outages []Outage
	// Gateways are all there are.
	Gateways []string
	// Open says what had not come to its end when patience was over.
	Open []string
	// Pictures is the folder for porcupine's pictures.
	Pictures string
}

// Outage is a time without a gateway, or without any process of another kind.
type Outage struct {
	Of string
	// Process is the gateway, empty for other kinds.
	Process string `json:",omitempty"`
	// Start and End in nanoseconds since the round began: when it was last, and
	// first again, known to be up.
	Start, End int64
}

// Kinds of outage that excuse something.
const (
	// NoGateway is of one gateway.
	NoGateway = "gateway"
	NoBooking = "booking-service"
	// NoQuorum: Cassandra can't run Paxos, so nothing can be decided.
	NoQuorum = "cassandra"
	// NoSource: a gateway that has just begun finds no copy of an event anywhere.
	NoSource = "event-service"
)

// Violation is one broken promise.
type Violation struct {
	What string `json:"what"`
	// Picture is the file with porcupine's picture, if there is one.
	Picture string `json:"picture,omitempty"`
}

// Verdict is the judgement on one invariant.
type Verdict struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Checked counts what was looked at, in the unit that Of names.
	Checked int    `json:"checked"`
	Of      string `json:"of"`
	// Undecided counts what the checker had no time to decide.
	Undecided  int         `json:"undecided,omitempty"`
	Violations []Violation `json:"violations,omitempty"`
	// Excused counts what an outage excuses.
	Excused int `json:"excused,omitempty"`
	// Note is a figure worth telling.
	Note string `json:"note,omitempty"`
}

// OK tells whether all was checked and nothing is broken.
func (v *Verdict) OK() bool { return len(v.Violations) == 0 && v.Undecided == 0 }

func (v *Verdict) broken(format string, arguments ...any) {
	v.Violations = append(v.Violations, Violation{What: fmt.Sprintf(format, arguments...)})
}

// All holds the evidence against every invariant.
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
