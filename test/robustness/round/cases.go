package round

import (
	"maps"
	"slices"
	"sync"
)

// Cases are the rare cases that booking-service's replicas count in
// sometimes_total. Rounds that have not seen them all prove little.
var Cases = []string{
	"late_payment_confirmed", "late_payment_refunded", "lost_append", "takeover", "unknown_applied", "unknown_not_applied",
}

// Unseen names the cases that no round has seen.
func Unseen(results []*Result) []string {
	return slices.DeleteFunc(slices.Clone(Cases), func(name string) bool {
		return slices.ContainsFunc(results, func(r *Result) bool { return r.Cases[name] > 0 })
	})
}

// cases sums the replicas' counters across restarts. Counts from before the
// first scrape of a replica are excluded, and counts between its last scrape
// and its death are lost.
type cases struct {
	mu sync.Mutex
	// last has the last values of each replica.
	last map[string]map[string]float64
	sum  map[string]float64
}

// add adds a replica's current values.
func (c *cases) add(replica string, now map[string]float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last, c.sum = map[string]map[string]float64{}, map[string]float64{}
	}
	last, known := c.last[replica]
	c.last[replica] = now
	if !known {
		return
	}
	// A counter that decreased has restarted from 0, and the others with it.
	restarted := false
	for name, was := range last {
		restarted = restarted || now[name] < was
	}
	for name, value := range now {
		if !restarted {
			value -= last[name]
		}
		c.sum[name] += value
	}
}

func (c *cases) total() map[string]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.sum)
}
