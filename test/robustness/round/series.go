package round

import (
	"slices"
	"time"

	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

// Counts are the calls of a round.
type Counts struct {
	Calls   int                    `json:"calls"`
	Done    int                    `json:"done"`
	NotDone int                    `json:"not_done"`
	Unknown int                    `json:"unknown"`
	ByKind  map[history.Kind][]int `json:"by_kind"`
}

func count(calls []history.Call) Counts {
	c := Counts{Calls: len(calls), ByKind: map[history.Kind][]int{}}
	for _, call := range calls {
		if c.ByKind[call.Kind] == nil {
			c.ByKind[call.Kind] = make([]int, 3)
		}
		switch call.Outcome {
		case history.Done:
			c.Done++
			c.ByKind[call.Kind][0]++
		case history.NotDone:
			c.NotDone++
			c.ByKind[call.Kind][1]++
		case history.Unknown:
			c.Unknown++
			c.ByKind[call.Kind][2]++
		}
	}
	return c
}

// Second is one second of a round.
type Second struct {
	At int `json:"at"`
	// Holds counts successful holds, Refused holds lost to other buyers, Failed
	// calls without a response or with one that reports an outage, and Done all
	// successful calls.
	Done    int `json:"done"`
	Holds   int `json:"holds"`
	Refused int `json:"refused"`
	Failed  int `json:"failed"`
	// Median is the median duration of successful holds, in milliseconds.
	Median float64 `json:"median"`
}

// series counts the calls that ended in each second since the sale began.
func series(calls []history.Call, from int64) []Second {
	var list []Second
	var times [][]int64
	for _, c := range calls {
		if c.End < from {
			continue
		}
		at := int(time.Duration(c.End - from).Seconds())
		for len(list) <= at {
			list = append(list, Second{At: len(list)})
			times = append(times, nil)
		}
		s := &list[at]
		switch {
		case c.Outcome == history.Done:
			s.Done++
			if c.Kind == history.Hold {
				s.Holds++
				times[at] = append(times[at], c.End-c.Start)
			}
		case c.Status == 0 || c.Status >= 500 || c.Status == 401 || c.Status == 429:
			s.Failed++
		case c.Kind == history.Hold:
			s.Refused++
		}
	}
	for i := range list {
		if n := len(times[i]); n > 0 {
			slices.Sort(times[i])
			list[i].Median = float64(times[i][n/2]) / 1e6
		}
	}
	return list
}
