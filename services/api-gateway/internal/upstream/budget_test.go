package upstream

import "testing"

func TestBudgetLimitsRetriesToAShareOfRequests(t *testing.T) {
	b := &budget{}
	b.tenths.Store(budgetMax)
	const requests = 1000
	granted := 0
	for range requests {
		b.deposit()
		if b.withdraw() {
			granted++
		}
	}
	if want := requests*budgetDeposit/budgetCost + budgetMax/budgetCost; granted > want || granted < want-2 {
		t.Errorf("%d retries for %d failing requests, want %d", granted, requests, want)
	}
}
