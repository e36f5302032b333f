package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/test/robustness/fault"
)

func catalogue() []fault.Fault {
	var all []fault.Fault
	for _, kind := range []string{"stop", "pause", "cut", "slow", "lossy"} {
		for _, target := range []string{"a", "b", "c"} {
			all = append(all, fault.Fault{Kind: kind, Target: target})
		}
	}
	return all
}

func TestSameSeedSamePlan(t *testing.T) {
	first, second := New(7, catalogue(), 4*time.Minute), New(7, catalogue(), 4*time.Minute)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two plans of one seed differ:\n%s", diff)
	}
	if cmp.Equal(first.Injections, New(8, catalogue(), 4*time.Minute).Injections) {
		t.Error("another seed gives the same plan")
	}
}

func TestPlanFitsRoundAndEndsWithCoolDown(t *testing.T) {
	overlaps := 0
	for seed := range uint64(50) {
		length := 4 * time.Minute
		p := New(seed, catalogue(), length)
		if len(p.Injections) < 4 {
			t.Errorf("seed %d: only %d faults", seed, len(p.Injections))
		}
		under := time.Duration(0)
		for i, in := range p.Injections {
			end := in.At + in.Fault.Duration
			if end > length-coolDown {
				t.Errorf("seed %d: %s ends too late", seed, in)
			}
			if in.At < under {
				overlaps++
			} else if i > 0 && in.At-under < minPause {
				t.Errorf("seed %d: %s leaves no cool-down", seed, in)
			}
			under = max(under, end)
		}
	}
	if overlaps == 0 {
		t.Error("no two faults ever come together")
	}
}

func TestShortRoundHasAFault(t *testing.T) {
	if n := len(New(1, catalogue(), 30*time.Second).Injections); n == 0 {
		t.Error("no fault in half a minute")
	}
}
