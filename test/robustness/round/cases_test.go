package round

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/test/robustness/check"
)

func TestCasesAddUpAcrossRestarts(t *testing.T) {
	var c cases
	for _, look := range []struct {
		replica string
		now     map[string]float64
	}{
		{"a", map[string]float64{"takeover": 100, "lost_append": 7}}, // before the round
		{"b", map[string]float64{}},
		{"a", map[string]float64{"takeover": 102, "lost_append": 7}},
		{"b", map[string]float64{"takeover": 4}},
		{"a", map[string]float64{"takeover": 1, "lost_append": 8}}, // restarted
		{"a", map[string]float64{"takeover": 1, "lost_append": 9}},
	} {
		c.add(look.replica, look.now)
	}
	if diff := cmp.Diff(map[string]float64{"takeover": 2 + 4 + 1, "lost_append": 8 + 1}, c.total()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnseenAreTheCasesThatNoRoundHasSeen(t *testing.T) {
	rounds := []*Result{
		{Cases: map[string]float64{"lost_append": 1, "takeover": 3, "unknown_applied": 0}},
		{Cases: map[string]float64{"unknown_not_applied": 1, "late_payment_refunded": 2}},
	}
	if diff := cmp.Diff([]string{"late_payment_confirmed", "unknown_applied"}, Unseen(rounds)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOutageLastsFromTheLastTimeUpToTheNext(t *testing.T) {
	w := &monitor{}
	gateway := outage{list: w, kind: check.NoGateway, process: "a", up: 0}
	other := outage{list: w, kind: check.NoGateway, process: "b", up: 0}
	gateway.observe(true, 10, 11)
	other.observe(false, 10, 12)
	gateway.observe(false, 20, 40)
	gateway.observe(false, 50, 60)
	gateway.observe(true, 70, 71)
	gateway.observe(false, 80, 90)
	want := []check.Outage{
		{Of: check.NoGateway, Process: "b", Start: 0, End: 12},
		{Of: check.NoGateway, Process: "a", Start: 10, End: 71},
		{Of: check.NoGateway, Process: "a", Start: 70, End: 90},
	}
	if diff := cmp.Diff(want, w.outages()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
