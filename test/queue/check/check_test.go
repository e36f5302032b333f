package check

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue/history"
	calls "github.com/frontrow-tickets/frontrow/test/robustness/history"
)

const (
	prequeue  = 4
	admission = 30 * time.Second
)

var seed = hex.EncodeToString([]byte(strings.Repeat("s", 32)))

// scenario is a good history: four people wait in the pre-queue, two come after
// the draw at 10 s, and one rank is called each second from 11 s on. Everybody
// comes when called, holds, and looks once more.
type scenario struct {
	calls   []history.Call
	frames  []history.Frame
	began   *history.Recorder
	entered int
}

func newScenario(t *testing.T) *scenario {
	t.Helper()
	s := &scenario{began: history.NewRecorder(), entered: prequeue + 2}
	for number := 1; number <= prequeue+2; number++ {
		who, joins := name(number), time.Duration(number)*time.Second
		rank, err := Rank(seed, "general", prequeue, number)
		if err != nil {
			t.Fatal(err)
		}
		waiting := client.Place{Version: int64(number), State: "waiting", Lane: "general", Number: number}
		if number > prequeue {
			joins += 5 * time.Second
			waiting.Version, waiting.Rank = 10, rank
		}
		s.add(who, history.Enter, joins, waiting).Solved = true
		comes := time.Duration(10+rank)*time.Second + 200*time.Millisecond
		if comes < joins {
			comes = joins + 100*time.Millisecond
		}
		admitted := waiting
		admitted.Version, admitted.State, admitted.Rank = int64(10+rank), "admitted", rank
		admitted.Admission, admitted.Until = "admission of "+who, s.wall(comes+admission)
		s.add(who, history.Enter, comes, admitted)
		s.add(who, history.Hold, comes+time.Second, client.Place{}).Admission = admitted.Admission
		admitted.Version, admitted.Until = admitted.Version+20, s.wall(comes+admission+time.Second)
		s.add(who, history.Look, comes+2*time.Second, admitted)
	}
	for second := range 40 {
		q := client.Queue{Version: int64(second), State: "prequeue", Required: true, SeedHash: hashOf(seed)}
		general := &q.Lanes.General
		general.Last = min(second, prequeue)
		if second >= 10 {
			q.State, q.Seed = "open", seed
			general.Drawn, general.Last, general.Serving = prequeue, prequeue+2, min(second-10, prequeue+2)
		}
		for stream := range 2 {
			s.frames = append(s.frames, history.Frame{Stream: stream, At: time.Duration(second) * time.Second, Queue: q})
		}
	}
	return s
}

func name(number int) string { return fmt.Sprintf("person %d", number) }

func (s *scenario) wall(at time.Duration) time.Time { return time.Now().Add(at - s.began.Now()) }

// add adds a call that takes 50 ms.
func (s *scenario) add(who string, kind history.Kind, start time.Duration, place client.Place) *history.Call {
	s.calls = append(s.calls, history.Call{
		Who: who, Kind: kind, Start: start, End: start + 50*time.Millisecond, Outcome: calls.Done, Place: place,
	})
	return &s.calls[len(s.calls)-1]
}

// call returns a person's n-th call of a kind.
func (s *scenario) call(who string, kind history.Kind, n int) *history.Call {
	for i := range s.calls {
		if c := &s.calls[i]; c.Who == who && c.Kind == kind {
			if n--; n < 0 {
				return c
			}
		}
	}
	panic("no such call")
}

func (s *scenario) verdicts() []Verdict {
	for _, c := range s.calls {
		s.began.Add(c)
	}
	for _, f := range s.frames {
		s.began.AddFrame(f)
	}
	return All(Observations{Recorder: s.began, Admission: admission, Entered: s.entered})
}

func TestGoodHistoryHasNoViolation(t *testing.T) {
	for _, v := range newScenario(t).verdicts() {
		if len(v.Violations) > 0 || v.Checked == 0 || v.Undecided > 0 {
			t.Errorf("%s: %v", v, v.Violations)
		}
	}
}

// Whatever moves a place is not a violation.
func TestExplainedChangesAreNoViolations(t *testing.T) {
	const later = 300 * time.Second
	tests := map[string]func(*scenario){
		"the person left and came again": func(s *scenario) {
			s.add(name(1), history.Leave, later, client.Place{})
			s.add(name(1), history.Enter, later+time.Second, client.Place{Version: 90, State: "waiting", Lane: "general", Number: 7, Rank: 7})
		},
		"the admission expired": func(s *scenario) {
			s.add(name(1), history.Enter, later, client.Place{Version: 90, State: "waiting", Lane: "general", Number: 7, Rank: 7})
		},
		"the admission expired and nobody came again": func(s *scenario) {
			c := s.add(name(1), history.Look, later, client.Place{})
			c.Outcome, c.Code = calls.NotDone, "not_found"
		},
		"an invite code was used": func(s *scenario) {
			s.renumber(name(3), 4*time.Second, "priority")
			s.add(name(3), history.Enter, 4*time.Second, client.Place{Version: 4, State: "waiting", Lane: "priority", Number: 1}).Invited = true
			for i := range s.frames {
				s.frames[i].Queue.Lanes.Priority = client.LaneState{Drawn: 1, Last: 1, Serving: 1}
			}
		},
		"the turn was missed": func(s *scenario) {
			s.drop(name(2), history.Hold)
			s.drop(name(2), history.Look)
			c := s.call(name(2), history.Enter, 1)
			c.Start, c.End = later, later+time.Second
			c.Place = client.Place{Version: 39, State: "called", Lane: "returning", Number: 1, Rank: 1, Until: s.wall(later + turn)}
			s.entered--
			for i := range s.frames {
				if q := &s.frames[i].Queue; q.Version == c.Place.Version {
					q.Lanes.Returning = client.LaneState{Last: 1, Serving: 1}
				}
			}
		},
		"the place was given by a request without an answer": func(s *scenario) {
			c := s.call(name(6), history.Enter, 0)
			lost := *c
			lost.Start, lost.End, lost.Outcome, lost.Place = 500*time.Millisecond, 600*time.Millisecond, calls.Unknown, client.Place{}
			s.calls = append(s.calls, lost)
			// Number 5 asked later and was answered later, but got the higher number.
			s.call(name(5), history.Enter, 0).End += 5 * time.Second
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t)
			change(s)
			for _, v := range s.verdicts() {
				if len(v.Violations) > 0 {
					t.Errorf("%s: %v", v, v.Violations)
				}
			}
		})
	}
}

// renumber moves a person's answers from a time on to the first place of a lane.
func (s *scenario) renumber(who string, from time.Duration, lane string) {
	for i := range s.calls {
		if c := &s.calls[i]; c.Who == who && c.Start >= from && c.Place.Number > 0 {
			c.Place.Lane, c.Place.Number = lane, 1
			c.Place.Rank = min(c.Place.Rank, 1)
		}
	}
}

func (s *scenario) drop(who string, kind history.Kind) {
	for i := range s.calls {
		if s.calls[i].Who == who && s.calls[i].Kind == kind {
			s.calls = append(s.calls[:i], s.calls[i+1:]...)
			return
		}
	}
}

func TestViolationsAreFound(t *testing.T) {
	tests := []struct {
		name, title string
		change      func(*scenario)
	}{
		{"two accounts with one number", "Numbers and ranks are given once", func(s *scenario) {
			s.call(name(2), history.Enter, 0).Place.Number = 1
		}},
		{"two accounts with one rank", "Numbers and ranks are given once", func(s *scenario) {
			s.call(name(6), history.Enter, 0).Place.Rank = 5
		}},
		{"a place that changes without a reason", "Places are kept, one per account", func(s *scenario) {
			s.add(name(3), history.Look, 9*time.Second, client.Place{Version: 9, State: "waiting", Lane: "general", Number: 9})
		}},
		{"a turn that passed too soon", "Places are kept, one per account", func(s *scenario) {
			c := s.call(name(3), history.Enter, 1)
			c.Place = client.Place{Version: c.Place.Version, State: "called", Lane: "returning", Number: 1, Rank: 1}
		}},
		{"an account with two places", "Places are kept, one per account", func(s *scenario) {
			s.add(name(3), history.Leave, 8*time.Second, client.Place{})
			s.add(name(3), history.Enter, 8500*time.Millisecond, client.Place{Version: 9, State: "waiting", Lane: "general", Number: 9})
		}},
		{"a lost place", "Places are kept, one per account", func(s *scenario) {
			c := s.add(name(3), history.Look, 9*time.Second, client.Place{})
			c.Outcome, c.Code = calls.NotDone, "not_found"
		}},
		{"a place whose state goes back", "Places are kept, one per account", func(s *scenario) {
			s.call(name(3), history.Look, 0).Place.State = "waiting"
		}},
		{"somebody admitted before their turn", "Only those are admitted who have been called", func(s *scenario) {
			c := s.call(name(6), history.Enter, 1)
			c.Place.Version = 12
		}},
		{"somebody called who is told to wait", "Only those are admitted who have been called", func(s *scenario) {
			c := s.call(name(5), history.Enter, 0)
			c.Place.Version, c.Start, c.End = 30, 30*time.Second, 31*time.Second
		}},
		{"serving that goes back", "The queue moves forward, and the seed is the published one", func(s *scenario) {
			s.frames[40].Queue.Lanes.General.Serving = 1
		}},
		{"a version that goes back", "The queue moves forward, and the seed is the published one", func(s *scenario) {
			s.frames[40].Queue.Version = 3
		}},
		{"another seed than the published one", "The queue moves forward, and the seed is the published one", func(s *scenario) {
			for i := range s.frames {
				if s.frames[i].Queue.Seed == "" {
					s.frames[i].Queue.SeedHash = hashOf("00")
				}
			}
		}},
		{"a rank that is not of the draw", "Ranks are those of the draw", func(s *scenario) {
			for i := range s.calls {
				if p := &s.calls[i].Place; s.calls[i].Who == name(2) && p.Rank > 0 {
					p.Rank = 40
				}
			}
		}},
		{"a hold without an admission", "Only the admitted hold seats", func(s *scenario) {
			s.call(name(3), history.Hold, 0).Admission = ""
		}},
		{"a hold with the admission of somebody else", "Only the admitted hold seats", func(s *scenario) {
			s.call(name(3), history.Hold, 0).Admission = "admission of " + name(1)
		}},
		{"a hold after the admission's end", "Only the admitted hold seats", func(s *scenario) {
			c := s.call(name(3), history.Hold, 0)
			c.Start, c.End = c.Start+2*time.Minute, c.End+2*time.Minute
		}},
		{"a hold after the person left", "Only the admitted hold seats", func(s *scenario) {
			c := s.call(name(3), history.Hold, 0)
			s.add(name(3), history.Leave, c.Start+5*time.Second, client.Place{})
			c.Start, c.End = c.Start+10*time.Second, c.End+10*time.Second
		}},
		{"a second admission without a hold", "Nobody is admitted twice with one place", func(s *scenario) {
			s.drop(name(3), history.Hold)
		}},
		{"a second admission after the end of the first", "Nobody is admitted twice with one place", func(s *scenario) {
			c := s.call(name(3), history.Look, 0)
			c.Start, c.End = c.Start+time.Hour, c.End+time.Hour
		}},
		{"an admission that nobody saw", "Nobody is admitted twice with one place", func(s *scenario) { s.entered++ }},
		{"a number given to somebody who came later", "Numbers follow the order of arrival", func(s *scenario) {
			c := s.call(name(5), history.Enter, 0)
			c.Start, c.End = 13*time.Second, 14*time.Second
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScenario(t)
			tt.change(s)
			for _, v := range s.verdicts() {
				if v.Title == tt.title {
					if len(v.Violations) == 0 {
						t.Errorf("%s: none is found", v)
					}
					return
				}
			}
			t.Fatalf("no verdict %q", tt.title)
		})
	}
}
