// Package check checks the recorded history of a queue against what the
// contract promises.
package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue/history"
)

// tolerance is how far a service's clock may be from the recorder's, and how
// exactly services keep deadlines.
const tolerance = time.Second

// Observations are everything that clients saw of one event's queue.
type Observations struct {
	Recorder *history.Recorder
	// Admission is how long an admission lasts.
	Admission time.Duration
	// Entered is the number of admissions in the organiser's report, read at the
	// end; negative if it is not known.
	Entered int
}

// Verdict is the result of one check.
type Verdict struct {
	Title string
	// Checked counts what was checked, Undecided what could not be.
	Checked, Undecided int
	Violations         []string
}

func (v *Verdict) violated(format string, args ...any) {
	v.Violations = append(v.Violations, fmt.Sprintf(format, args...))
}

// String describes the result in a line.
func (v Verdict) String() string {
	text := fmt.Sprintf("%s: %d checked, %d violations", v.Title, v.Checked, len(v.Violations))
	if v.Undecided > 0 {
		text += fmt.Sprintf(", %d undecided", v.Undecided)
	}
	return text
}

// All checks the observations.
func All(o Observations) []Verdict {
	c := newChecker(o)
	return []Verdict{c.stable(), c.unique(), c.served(), c.draw(), c.called(), c.once(), c.holds(), c.forward()}
}

// checker has the observations in order.
type checker struct {
	Observations
	people []*person
	// frames are those of all clients, by version.
	frames []history.Frame
}

// person is one account and its places, oldest first.
type person struct {
	who    string
	calls  []history.Call
	places []*place
}

// key names a place: an account that moves has another place.
type key struct {
	lane   string
	number int
}

func (k key) String() string { return fmt.Sprintf("%s %d", k.lane, k.number) }

// place is a place and the answers that showed it, in the order of their ends.
type place struct {
	key
	who string
	// begin is the earliest time at which the place can have been given.
	begin   time.Duration
	answers []history.Call
}

func newChecker(o Observations) *checker {
	c := &checker{Observations: o, frames: slices.Clone(o.Recorder.Frames())}
	slices.SortStableFunc(c.frames, func(a, b history.Frame) int { return cmp.Compare(a.Queue.Version, b.Queue.Version) })
	byName := map[string]*person{}
	for _, call := range o.Recorder.Calls() {
		p := byName[call.Who]
		if p == nil {
			p = &person{who: call.Who}
			byName[call.Who] = p
			c.people = append(c.people, p)
		}
		p.calls = append(p.calls, call)
	}
	for _, p := range c.people {
		slices.SortStableFunc(p.calls, func(a, b history.Call) int { return cmp.Compare(a.End, b.End) })
		p.collectPlaces()
	}
	return c
}

func (p *person) collectPlaces() {
	// tried is the start of the first enter since the last answer with a place
	// that can have given another one.
	tried := time.Duration(-1)
	for _, call := range p.calls {
		if call.Kind == history.Enter && mayBeDone(call) && (tried < 0 || call.Start < tried) {
			tried = call.Start
		}
		if !shows(call) {
			continue
		}
		k := keyOf(call.Place)
		at := slices.IndexFunc(p.places, func(known *place) bool { return known.key == k })
		if at < 0 {
			p.places = append(p.places, &place{key: k, who: p.who, begin: max(tried, 0)})
			at = len(p.places) - 1
		}
		p.places[at].answers = append(p.places[at].answers, call)
		tried = -1
	}
}

// shows reports whether a call's answer shows a place.
func shows(call history.Call) bool { return done(call) && call.Place.Number > 0 }

func keyOf(p client.Place) key { return key{p.Lane, p.Number} }

// seen is when the place was first seen.
func (p *place) seen() time.Duration { return p.answers[0].End }

// rank is the place's rank after the draw; 0 if nobody asked after the draw.
func (p *place) rank() int {
	for _, a := range p.answers {
		if a.Place.Rank > 0 {
			return a.Place.Rank
		}
	}
	return 0
}

// admitted returns the answers that admit.
func (p *place) admitted() []history.Call {
	return slices.DeleteFunc(slices.Clone(p.answers), func(a history.Call) bool { return a.Place.State != "admitted" })
}

// places calls f with every place.
func (c *checker) places(f func(*person, *place)) {
	for _, p := range c.people {
		for _, place := range p.places {
			f(p, place)
		}
	}
}

// until returns when an answer's admission or turn ends, on the recorder's
// clock.
func (c *checker) until(p client.Place) time.Duration { return c.Recorder.At(p.Until) }
