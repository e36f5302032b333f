package admission

import (
	"testing"
	"time"
)

func TestDemand(t *testing.T) {
	type step struct {
		seconds int
		seen    Observation
		want    bool
	}
	fast := Observation{Holds: 200, P99: 20 * time.Millisecond}
	slow := Observation{Holds: 200, P99: target + 1}
	refused := Observation{Overloaded: 1}
	waiting := Observation{Holds: 200, P99: 20 * time.Millisecond, Waiting: 1}
	busy := Observation{Holds: 200, P99: target/2 + 1}
	for name, steps := range map[string][]step{
		"fast holds need no queue":                  {{100, fast, false}},
		"two slow seconds start the queue":          {{1, slow, false}, {1, slow, true}},
		"refused holds start the queue":             {{1, refused, false}, {1, refused, true}},
		"a slow second alone does not":              {{1, slow, false}, {1, fast, false}, {1, slow, false}},
		"one slow hold of a few does not":           {{3, Observation{Holds: 2, P99: time.Second}, false}},
		"the queue ends a minute after the last":    {{1, slow, false}, {1, slow, true}, {59, fast, true}, {1, fast, false}},
		"people who wait keep it":                   {{1, slow, false}, {1, slow, true}, {59, fast, true}, {1, waiting, true}, {59, fast, true}, {1, fast, false}},
		"holds above half of the target keep it":    {{1, slow, false}, {1, slow, true}, {200, busy, true}},
		"a queue that ended can start another time": {{1, slow, false}, {1, slow, true}, {60, fast, false}, {1, slow, false}, {1, slow, true}},
	} {
		t.Run(name, func(t *testing.T) {
			d, active := NewDemand(target), false
			for _, step := range steps {
				step.seen.Elapsed = time.Second
				for range step.seconds {
					active = d.Tick(step.seen, active)
				}
				if active != step.want {
					t.Fatalf("after %d seconds of %+v: active is %t", step.seconds, step.seen, active)
				}
			}
		})
	}
}
