//go:build bench

package booking

import "sync/atomic"

var limit atomic.Int64

func roundLimit() int {
	if n := limit.Load(); n > 0 {
		return int(n)
	}
	return maxRound
}

// SetRoundLimit makes rounds of at most n operations: with 1 every hold is a
// round of its own, as without group commit. 0 is as shipped.
func SetRoundLimit(n int) { limit.Store(int64(n)) }
