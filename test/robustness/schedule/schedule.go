// Package schedule draws from a seed which faults to inject, and when.
package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/robustness/fault"
)

// Injection is a fault and its time.
type Injection struct {
	At    time.Duration
	Fault fault.Fault
}

// momentary kinds are over as soon as they have been injected.
var momentary = []string{"kill", "restart", "deploy", "redis-flush", "redeliver", "cassandra-flush", "cassandra-compaction", "paxos-repair", "cassandra-join"}

// String returns the time and the fault in one line.
func (i Injection) String() string {
	text := fmt.Sprintf("%5.1f s  %s", i.At.Seconds(), i.Fault)
	if i.Fault.Duration == 0 {
		return text
	}
	return fmt.Sprintf("%s, for %.1f s", text, i.Fault.Duration.Seconds())
}

// Plan lists the faults of a round.
type Plan struct {
	Seed       uint64
	Injections []Injection
}

// String lists the injections, one per line.
func (p Plan) String() string {
	lines := make([]string, len(p.Injections))
	for i, in := range p.Injections {
		lines[i] = "    " + in.String()
	}
	return strings.Join(lines, "\n")
}

const (
	// warmUp is the time without faults at the start, lastCalm at the end.
	warmUp, coolDown = 6 * time.Second, 12 * time.Second
	// Most faults are shorter than most timeouts; one in longOnes is longer
	// than all of them.
	shortest, longShort = 5 * time.Second, 12 * time.Second
	shortLong, longest  = 20 * time.Second, 34 * time.Second
	oneLongIn           = 4
	longRound           = 2 * time.Minute
	minPause, maxPause  = 4 * time.Second, 9 * time.Second
	// overlapping of ten injections get a second, overlapping fault.
	overlapping = 3
	minGap      = time.Second
)

// New draws a plan for a round: the same seed, catalogue and length give the
// same plan. Kinds are dealt like cards, so that a round has as many kinds as
// fit; targets are drawn at random.
func New(seed uint64, catalogue []fault.Fault, length time.Duration) Plan {
	d := &dealer{dice: rand.New(rand.NewPCG(seed, 0)), byKind: map[string][]fault.Fault{}, short: length < longRound}
	for _, f := range catalogue {
		if len(d.byKind[f.Kind]) == 0 {
			d.kinds = append(d.kinds, f.Kind)
		}
		d.byKind[f.Kind] = append(d.byKind[f.Kind], f)
	}
	p := Plan{Seed: seed}
	if len(catalogue) == 0 {
		return p
	}
	for at := warmUp; ; {
		first, duration := d.draw()
		end := at + duration
		injections := []Injection{{at, first}}
		if d.dice.IntN(10) < overlapping {
			if second, secondDuration := d.draw(); second.Target != first.Target {
				begin := at + minGap + d.between(0, duration-2*minGap)
				injections = append(injections, Injection{begin, second})
				end = max(end, begin+secondDuration)
			}
		}
		if end > length-coolDown {
			if len(p.Injections) > 0 {
				return p
			}
			// A round without a fault would show nothing.
			first.Duration = min(first.Duration, max(time.Second, length-coolDown-at))
			p.Injections = []Injection{{at, first}}
			return p
		}
		p.Injections = append(p.Injections, injections...)
		at = end + d.between(minPause, maxPause)
	}
}

type dealer struct {
	dice   *rand.Rand
	kinds  []string
	byKind map[string][]fault.Fault
	deck   []string
	// short means that the round has no room for long faults.
	short bool
}

// draw returns a fault and the time until the next one.
func (d *dealer) draw() (fault.Fault, time.Duration) {
	if len(d.deck) == 0 {
		d.deck = append(d.deck, d.kinds...)
		d.dice.Shuffle(len(d.deck), func(i, j int) { d.deck[i], d.deck[j] = d.deck[j], d.deck[i] })
	}
	kind := d.deck[0]
	d.deck = d.deck[1:]
	f := d.byKind[kind][d.dice.IntN(len(d.byKind[kind]))]
	drawn := d.between(shortest, longShort)
	if d.dice.IntN(oneLongIn) == 0 && !d.short {
		drawn = d.between(shortLong, longest)
	}
	if slices.Contains(momentary, kind) {
		return f, min(drawn, longShort)
	}
	f.Duration = drawn
	return f, drawn
}

// between returns a multiple of 0.1 s.
func (d *dealer) between(least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return (least + time.Duration(d.dice.Int64N(int64(most-least)))).Round(100 * time.Millisecond)
}
