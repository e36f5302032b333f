// Package check checks the clients' history and the stores' contents against
// the invariants. It queries no service.
package check

import (
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/robustness/traffic"
)

// Observations are everything that a round records.
type Observations struct {
	Recorder *history.Recorder
	Sales    []*traffic.Sale
	// States maps each event id to its stored state, read after the system has settled.
	States map[string]*audit.State
	// Users maps account ids to the buyers' names.
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
	// Visualizations is the folder for porcupine's visualizations.
	Visualizations string
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

// All checks the observations against every invariant.
func All(obs *Observations) []Verdict {
	c := &checker{Observations: obs, calls: obs.Recorder.Calls()}
	c.build()
	return []Verdict{
		c.seats(), c.stores(), c.durability(), c.money(), c.outbox(), c.deadlines(), c.idempotency(), c.availability(), c.settled(),
	}
}

func (obs *Observations) excused(start, end int64, kind string) bool {
	for _, o := range obs.Outages {
		if o.Of == kind && start <= o.End && end >= o.Start {
			return true
		}
	}
	return false
}

func seconds(nanoseconds int64) string {
	return fmt.Sprintf("%.3f s", time.Duration(nanoseconds).Seconds())
}
