// Package short runs a short round of the robustness test on the Frontrow
// described by the environment, as `make test` starts it: one node of
// everything, two gateways, three booking replicas.
package short

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/test/robustness/fault"
	"github.com/frontrow-tickets/frontrow/test/robustness/round"
	"github.com/frontrow-tickets/frontrow/test/system"
)

const (
	seed   = 1
	length = 50 * time.Second
	buyers = 16
)

func TestInvariantsHoldUnderFaults(t *testing.T) {
	running, err := system.Open()
	if err != nil {
		t.Fatal(err)
	}
	injector, err := fault.Open(running)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.MkdirTemp("", "frontrow-robustness-")
	if err != nil {
		t.Fatal(err)
	}
	result, err := round.Run(t.Context(), round.Config{
		Name: "short round", Seed: seed, Length: length, Buyers: buyers, System: running, Injector: injector, Out: out, Progress: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Faults) == 0 {
		t.Error("nothing was done to the system")
	}
	for i := range result.Verdicts {
		v := &result.Verdicts[i]
		t.Logf("%s: %d %s checked, %d violations, %d undecided; %s", v.Title, v.Checked, v.Of, len(v.Violations), v.Undecided, v.Note)
		if v.Undecided > 0 {
			t.Errorf("%s %s: %d undecided", v.ID, v.Title, v.Undecided)
		}
		for _, violation := range v.Violations {
			t.Errorf("%s %s: %s", v.ID, v.Title, violation.What)
		}
	}
	if t.Failed() {
		t.Logf("the history is in %s", filepath.Join(out, "history.jsonl"))
		return
	}
	if err := os.RemoveAll(out); err != nil {
		t.Error(err)
	}
}
