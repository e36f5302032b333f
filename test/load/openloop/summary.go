package openloop

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The histograms hold delays from one microsecond to one minute, with three
// significant digits.
const (
	shortest = 1
	longest  = int64(time.Minute / time.Microsecond)
	digits   = 3
)

// NewHistogram returns an empty histogram of delays in microseconds.
func NewHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(shortest, longest, digits) }

// Summary summarizes a run.
type Summary struct {
	// ByStatus counts the responses by status; 0 counts requests without a
	// response.
	ByStatus map[int]int
	// Retryable counts the responses with Retry-After.
	Retryable int
	// Accepted and Others hold the delays of the accepted responses and of the
	// rest; Late holds how late the generator itself started requests.
	Accepted, Others, Late *hdrhistogram.Histogram
	Count                  int
	// PerSecond is the rate of accepted responses, from the first due time to
	// the last response.
	PerSecond float64
}

// Summarize summarizes a result; accepted reports whether a status is the
// wanted one.
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

// record clamps values outside the histogram's range to its limits.
func record(h *hdrhistogram.Histogram, nanoseconds int64) {
	// The only error is a value out of range.
	_ = h.RecordValue(min(max(nanoseconds/int64(time.Microsecond), shortest), longest))
}

// Quantile returns the delay that a fraction q of the values does not exceed.
func Quantile(h *hdrhistogram.Histogram, q float64) time.Duration {
	return time.Duration(h.ValueAtQuantile(100*q)) * time.Microsecond
}
