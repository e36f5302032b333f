package openloop

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The histograms hold delays from a microsecond to a minute, to three digits.
const (
	shortest = 1
	longest  = int64(time.Minute / time.Microsecond)
	digits   = 3
)

// NewHistogram returns an empty histogram of delays in microseconds.
func NewHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(shortest, longest, digits) }

// Summary is a run in figures.
type Summary struct {
	// ByStatus counts the answers; 0 are requests without one.
	ByStatus map[int]int
	// Retryable counts the answers that said when to come again.
	Retryable int
	// Accepted and Others are the delays of the answers that match and of the
	// rest; Late is by how much the generator itself began too late.
	Accepted, Others, Late *hdrhistogram.Histogram
	Count                  int
	// PerSecond is accepted answers a second, from the first request due to the
	// last answer.
	PerSecond float64
}

// Summarize counts a result; accepted says which status is the one wanted.
func Summarize(r Result, accepted func(status int) bool) Summary {
	s := Summary{
		ByStatus: map[int]int{}, Accepted: NewHistogram(), Others: NewHistogram(), Late: NewHistogram(), Count: len(r.Samples),
	}
	var last int64
	yes := 0
	for _, sample := range r.Samples {
		s.ByStatus[sample.Status]++
		if sample.Retry {
			s.Retryable++
		}
		if sample.Status == 0 {
			continue
		}
		record(s.Late, sample.Sent-sample.Due)
		if accepted(sample.Status) {
			yes++
			last = max(last, sample.Done)
			record(s.Accepted, sample.Done-sample.Due)
		} else {
			record(s.Others, sample.Done-sample.Due)
		}
	}
	if last > 0 {
		s.PerSecond = float64(yes) / max(r.Length, time.Duration(last)).Seconds()
	}
	return s
}

// record clamps what is out of the histogram's range to its ends.
func record(h *hdrhistogram.Histogram, nanoseconds int64) {
	// The only error is a value out of range.
	_ = h.RecordValue(min(max(nanoseconds/int64(time.Microsecond), shortest), longest))
}

// Quantile returns the delay that q of 1 of the values do not exceed.
func Quantile(h *hdrhistogram.Histogram, q float64) time.Duration {
	return time.Duration(h.ValueAtQuantile(100*q)) * time.Microsecond
}
