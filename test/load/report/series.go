package report

import (
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

// Bucket is a time interval.
type Bucket struct {
	// At is its end, in seconds since the start.
	At float64
	// Due counts requests that became due, Wanted and Others responses that
	// arrived.
	Due, Wanted, Others int
}

// Series counts a run's requests by due time and its responses by arrival.
func Series(r openloop.Result, step time.Duration, wanted func(status int) bool) []Bucket {
	var last int64
	for _, s := range r.Samples {
		last = max(last, s.Due, s.Done)
	}
	buckets := make([]Bucket, last/int64(step)+1)
	for i := range buckets {
		buckets[i].At = (time.Duration(i+1) * step).Seconds()
	}
	for _, s := range r.Samples {
		buckets[s.Due/int64(step)].Due++
		switch b := &buckets[s.Done/int64(step)]; {
		case s.Status == 0:
		case wanted(s.Status):
			b.Wanted++
		default:
			b.Others++
		}
	}
	return buckets
}
