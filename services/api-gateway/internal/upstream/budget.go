package upstream

import "sync/atomic"

const (
	// Each request earns a fifth of a retry; at most ten retries are saved.
	budgetDeposit = 2
	budgetCost    = 10
	budgetMax     = 100
)

// budget limits retries to a share of the requests, so that retries do not overload a failing service.
// NewPool fills it.
type budget struct{ tenths atomic.Int64 }

// deposit adds what one request earns.
func (b *budget) deposit() {
	if b.tenths.Load() < budgetMax {
		b.tenths.Add(budgetDeposit)
	}
}

// withdraw takes one retry. It returns false if there is none left.
func (b *budget) withdraw() bool {
	if b.tenths.Add(-budgetCost) < 0 {
		b.tenths.Add(budgetCost)
		return false
	}
	return true
}
