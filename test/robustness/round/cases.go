package round

import (
	"maps"
	"slices"
	"sync"
)

// Cases are the rare ones that the replicas of booking-service count as
// sometimes_total. Rounds that have not seen them all prove little.
var Cases = []string{
	"late_payment_confirmed", "late_payment_refunded", "lost_append", "takeover", "unknown_applied", "unknown_not_applied",
}

// Unseen names the cases that none of the rounds has seen.
func Unseen(results []*Result) []string {
	return slices.DeleteFunc(slices.Clone(Cases), func(name string) bool {
		return slices.ContainsFunc(results, func(r *Result) bool { return r.Cases[name] > 0 })
	})
}

// cases adds up what replicas count, across their restarts. What a replica had
// counted before the first look at it is left out, and what it counted between
// the last look and its death is lost.
type cases struct {
	mu sync.Mutex
	// last has what each replica said last.
	last map[string]map[string]float64
	sum  map[string]float64
}

// add takes in what a replica says now.
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
	// A counter that went back began again from 0, and the others with it.
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
