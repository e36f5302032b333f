package check

import (
	"slices"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue/history"
	calls "github.com/frontrow-tickets/frontrow/test/robustness/history"
)

func done(call history.Call) bool      { return call.Outcome == calls.Done }
func mayBeDone(call history.Call) bool { return call.Outcome != calls.NotDone }

// stable checks that everybody keeps their place until they leave it, miss their
// turn, use an invite code, or their admission expires.
func (c *checker) stable() Verdict {
	v := Verdict{Title: "Places are kept, one per account"}
	for _, p := range c.people {
		var now *place
		for i, call := range p.calls {
			switch {
			case shows(call):
				v.Checked++
				next := p.places[slices.IndexFunc(p.places, func(known *place) bool { return known.key == keyOf(call.Place) })]
				switch {
				case now == nil || next == now:
				case next.seen() < call.End && call.Start > now.seen():
					v.violated("%s has two places: %s again after %s", p.who, next.key, now.key)
				case next.seen() == call.End && !c.explained(p, now, p.calls[:i+1], call):
					v.violated("%s moved from %s to %s without a reason", p.who, now.key, next.key)
				}
				if now == nil || next.seen() >= now.seen() {
					now = next
				}
			case now != nil && saysNoPlace(call) && call.Start > now.seen():
				v.Checked++
				if !c.gone(p, now, call.End) {
					v.violated("%s lost %s (%s at %s)", p.who, now.key, call.Code, call.End)
				}
				now = nil
			}
		}
	}
	c.places(func(_ *person, place *place) { progresses(&v, place) })
	return v
}

// saysNoPlace reports whether a call's answer says that the account has no
// place. An enter without a challenge is refused only then.
func saysNoPlace(call history.Call) bool {
	return call.Kind == history.Look && call.Code == "not_found" ||
		call.Kind == history.Enter && !call.Solved && call.Code == "challenge_failed"
}

// explained reports whether a place can have given way to the one in an answer.
// Before are the account's calls up to the answer.
func (c *checker) explained(p *person, old *place, before []history.Call, answer history.Call) bool {
	switch answer.Place.Lane {
	case "returning":
		if c.missed(old, answer.End) {
			return true
		}
	case "priority":
		if slices.ContainsFunc(before, func(call history.Call) bool { return call.Invited && mayBeDone(call) }) {
			return true
		}
	}
	return c.gone(p, old, answer.End)
}

// gone reports whether an account can have lost a place by a time because it
// left or because its admission expired.
func (c *checker) gone(p *person, old *place, by time.Duration) bool {
	for _, call := range p.calls {
		left := call.Kind == history.Leave && mayBeDone(call) && call.End >= old.begin
		// An enter without an answer can have admitted.
		expired := call.Kind == history.Enter && call.Outcome == calls.Unknown && call.End >= old.begin && call.Start+c.Admission <= by
		if call.Start <= by && (left || expired) {
			return true
		}
	}
	admitted := old.admitted()
	return len(admitted) > 0 && c.Recorder.At(admitted[len(admitted)-1].Place.Until) <= by+tolerance
}

const (
	// turn is how long somebody who is called has time to come.
	turn = 2 * time.Minute
	// delivery is how late a frame may arrive.
	delivery = 10 * time.Second
)

// missed reports whether the turn of a place can have passed by a time.
func (c *checker) missed(old *place, by time.Duration) bool {
	for _, a := range old.answers {
		switch a.Place.State {
		case "missed":
			return true
		case "called":
			return c.Recorder.At(a.Place.Until) <= by+tolerance
		}
	}
	// Nobody looked. It was called after the last frame that had not called it.
	called := time.Duration(0)
	for i := range c.frames {
		if rank := rankIn(old, &c.frames[i].Queue); rank > 0 && Lane(&c.frames[i].Queue, old.lane).Serving >= rank {
			break
		}
		called = c.frames[i].At
	}
	return called-delivery+turn <= by
}

// rankIn returns the rank of a place by a frame; 0 before the draw.
func rankIn(p *place, q *client.Queue) int {
	if q.Seed == "" {
		return 0
	}
	rank, err := Rank(q.Seed, p.lane, Lane(q, p.lane).Drawn, p.number)
	if err != nil {
		return 0
	}
	return rank
}

// Order of a place's states. A place that is missed or admitted stays so.
var order = map[string]int{"waiting": 0, "called": 1, "missed": 2, "admitted": 3}

// progresses checks that the answers about a place never go back.
func progresses(v *Verdict, p *place) {
	var last *history.Call
	for i := range p.answers {
		a := &p.answers[i]
		if last != nil && a.Start > last.End {
			was, is := last.Place, a.Place
			if order[is.State] < order[was.State] || was.State == "missed" && is.State == "admitted" {
				v.violated("%s went back from %s to %s at %s", p.who, was.State, is.State, p.key)
			}
			if was.Rank > 0 && is.Rank != was.Rank {
				v.violated("%s got the rank %d after %d at %s", p.who, is.Rank, was.Rank, p.key)
			}
			if is.Version < was.Version {
				v.violated("%s saw version %d after %d", p.who, is.Version, was.Version)
			}
		}
		last = a
	}
}
