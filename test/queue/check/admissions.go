package check

import (
	"slices"
	"sort"
	"time"

	"github.com/frontrow-tickets/frontrow/test/queue/history"
)

// called checks that only those who have been called are admitted, and that
// nobody who has been called is told to wait.
func (c *checker) called() Verdict {
	v := Verdict{Title: "Only those are admitted who have been called"}
	c.places(func(_ *person, p *place) {
		rank := p.rank()
		for _, a := range p.answers {
			if a.Place.Rank == 0 {
				continue // before the draw
			}
			// Frames at and after the answer's version have called it if the answer
			// has; those before have not if the answer says to wait.
			next := sort.Search(len(c.frames), func(i int) bool { return c.frames[i].Queue.Version >= a.Place.Version })
			switch {
			case a.Place.State == "waiting":
				v.Checked++
				if next > 0 && Lane(&c.frames[next-1].Queue, p.lane).Serving >= rank {
					v.violated("%s waits at %s with rank %d, which was called before version %d", p.who, p.key, rank, a.Place.Version)
				}
			case next == len(c.frames):
				v.Undecided++
			default:
				v.Checked++
				if serving := Lane(&c.frames[next].Queue, p.lane).Serving; serving < rank {
					v.violated("%s is %s at %s with rank %d, but only %d are called", p.who, a.Place.State, p.key, rank, serving)
				}
			}
		}
	})
	return v
}

// once checks that a place admits once: its admission ends, unless a hold renews
// it, and does not come back.
func (c *checker) once() Verdict {
	v := Verdict{Title: "Nobody is admitted twice with one place"}
	c.places(func(p *person, place *place) {
		admitted := place.admitted()
		for i, a := range admitted {
			v.Checked++
			if c.until(a.Place)+tolerance < a.Start {
				v.violated("%s is admitted at %s after the admission's end", p.who, place.key)
			}
			if i == 0 {
				continue
			}
			before := admitted[i-1]
			if c.until(a.Place) > c.until(before.Place) && !p.renewed(before.Start, a.End) {
				v.violated("%s is admitted again at %s without a hold", p.who, place.key)
			}
		}
	})
	entered, unknown := 0, 0
	c.places(func(_ *person, p *place) {
		if len(p.admitted()) > 0 {
			entered++
		}
	})
	for _, p := range c.people {
		for _, call := range p.calls {
			if call.Kind == history.Enter && mayBeDone(call) && !done(call) {
				unknown++
			}
		}
	}
	if c.Entered >= 0 && (c.Entered < entered || c.Entered > entered+unknown) {
		v.violated("the report counts %d admissions; %d were answered, %d more may have been given", c.Entered, entered, unknown)
	}
	return v
}

// renewed reports whether a hold of the person between two times can have
// renewed the admission.
func (p *person) renewed(from, to time.Duration) bool {
	return slices.ContainsFunc(p.calls, func(call history.Call) bool {
		return call.Kind == history.Hold && mayBeDone(call) && call.End > from && call.Start < to
	})
}

// holds checks that a hold succeeds only with an admission that the account was
// given and that was valid at some time during the call.
func (c *checker) holds() Verdict {
	v := Verdict{Title: "Only the admitted hold seats"}
	for _, p := range c.people {
		for _, hold := range p.calls {
			if hold.Kind != history.Hold || !done(hold) || !c.required(hold) {
				continue
			}
			v.Checked++
			switch {
			case hold.Admission == "":
				v.violated("%s held seats without an admission at %s", p.who, hold.End)
			case !p.given(hold):
				v.violated("%s held seats with an admission of somebody else at %s", p.who, hold.End)
			case !c.valid(p, hold):
				v.violated("%s held seats at %s, when the admission had ended", p.who, hold.End)
			}
		}
	}
	return v
}

// given reports whether a hold's admission was one of the account's own.
func (p *person) given(hold history.Call) bool {
	return slices.ContainsFunc(p.calls, func(call history.Call) bool {
		return done(call) && call.Place.Admission == hold.Admission && call.Start <= hold.End
	})
}

// valid reports whether an account can have been admitted at some time during
// a hold.
func (c *checker) valid(p *person, hold history.Call) bool {
	// left is when the account was last known to have given its place away.
	left := time.Duration(-1)
	for _, call := range p.calls {
		if call.Kind == history.Leave && done(call) && call.End < hold.Start {
			left = max(left, call.End)
		}
	}
	ends := time.Duration(-1)
	for _, call := range p.calls {
		if !mayBeDone(call) || call.Start > hold.End || call.End < left {
			continue
		}
		switch {
		case call.Place.State == "admitted":
			ends = max(ends, c.until(call.Place))
		case call.Kind == history.Hold && call.End < hold.Start && call.Start <= ends+tolerance:
			ends = max(ends, call.End+c.Admission)
		}
	}
	return ends+tolerance >= hold.Start
}

// required reports whether the event's queue was required all through a hold, as
// far as frames tell.
func (c *checker) required(hold history.Call) bool {
	for i := range c.frames {
		during := c.frames[i].At <= hold.End && (i+1 == len(c.frames) || c.frames[i+1].At >= hold.Start)
		if during && !c.frames[i].Queue.Required {
			return false
		}
	}
	return true
}
