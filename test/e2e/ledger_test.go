package e2e

import (
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/audit"
)

// checkLedger waits until the money of an event has settled, then checks the
// stores' own figures against the invariants and against the expected price of
// the confirmed bookings, in cents.
func checkLedger(t *testing.T, s sale, price int64) {
	t.Helper()
	auditor := must(audit.Open(t.Context(), running))(t)
	defer auditor.Close(t.Context())
	var r audit.Report
	defer func() {
		if t.Failed() {
			t.Logf("the stores say: %+v", r)
		}
	}()
	testkit.Eventually(t, "captured minus refunded is the price of what is confirmed", func() bool {
		var err error
		if r, err = auditor.Event(t.Context(), s.event.ID); err != nil {
			t.Fatal(err)
		}
		return r.Difference() == 0 && r.Price == price
	})
	if len(r.SoldTwice) > 0 {
		t.Errorf("seats sold twice: %v", r.SoldTwice)
	}
	if len(r.Inconsistent) > 0 {
		t.Errorf("the event's log breaks the rules: %v", r.Inconsistent)
	}
}
