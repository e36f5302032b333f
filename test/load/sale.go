package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	saleBuyers = 5_000
	// saleSlice is how often the sale tells how it goes, and looks whether it shall end.
	saleSlice = 5 * time.Second
	// saleHold is long enough for a payment to end whatever is broken for a while, and short enough to wait for.
	saleHold = 120
	// saleSettle is how long holds and payments may take to end after the last buyer came.
	saleSettle = 5 * time.Minute
)

// saleResult is what became of a sale, as buyers saw it and as the stores have it.
type saleResult struct {
	Seconds  float64     `json:"seconds"`
	Requests int         `json:"requests"`
	ByStatus map[int]int `json:"by_status"`
	// Failed are the requests without an answer, and those answered neither as they should be nor by 409 or 429.
	Failed int `json:"failed"`
	// Held and Paid count what was answered 201 and 202; Confirmed is what the store has.
	Held      int `json:"held"`
	Paid      int `json:"paid"`
	Confirmed int `json:"confirmed"`
	// Milliseconds from the time a hold was due to its answer.
	P50 float64 `json:"hold_p50_ms"`
	P99 float64 `json:"hold_p99_ms"`
	Max float64 `json:"hold_max_ms"`
	// Begin of the first slice; PerSecond are the holds answered 201 in each second since.
	Begin     time.Time `json:"begin"`
	PerSecond []int     `json:"holds_per_second"`

	SoldTwice        int     `json:"sold_twice"`
	LedgerDifference int64   `json:"ledger_difference"`
	Unsettled        int     `json:"unsettled"`
	SettledAfter     float64 `json:"settled_after_s"`
}

// onlySale sells an event at a steady rate until the time is over or stop is: somebody looks at the page, holds a pair and
// pays, and somebody asks for a pair that is gone. Then it waits until all is settled, counts and writes the result.
func (b *bench) onlySale(ctx, stop context.Context, o options) error {
	pairs := o.rate * o.seconds
	e, err := b.organizer.open(ctx, 2*pairs, saleHold)
	if err != nil {
		return err
	}
	s := supplyOf(e, 1)
	b.say("an event of %d seats is on sale, %d requests a second", e.seats, 3*o.rate)
	var result saleResult
	result.ByStatus = map[int]int{}
	var all []openloop.Sample
	begin := time.Now()
	result.Begin = begin
	deadline := begin.Add(time.Duration(o.seconds) * time.Second)
	for stop.Err() == nil && time.Now().Before(deadline) {
		since := time.Since(begin)
		slice, samples := b.saleSlice(ctx, s, o.rate)
		for i := range samples {
			samples[i].Done += int64(since)
			samples[i].Due += int64(since)
		}
		all = append(all, samples...)
		result.add(slice)
		b.say("%5d held, %5d paid, %3d failed; in this slice: %v", result.Held, result.Paid, result.Failed, slice.ByStatus)
	}
	result.Seconds = time.Since(begin).Seconds()
	result.delays(all)
	if err := b.settleSale(ctx, e, &result); err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	b.say("%d requests, %d failed; %d held, %d paid, %d confirmed; %d sold twice, ledger difference %d; settled after %.1f s; holds p50 %.1f ms, p99 %.1f, max %.0f",
		result.Requests, result.Failed, result.Held, result.Paid, result.Confirmed, result.SoldTwice, result.LedgerDifference,
		result.SettledAfter, result.P50, result.P99, result.Max)
	if o.result != "" {
		if err := os.WriteFile(o.result, append(text, '\n'), 0o600); err != nil {
			return err
		}
	}
	return result.verdict()
}

// saleSlice sends what falls due in one slice; every third request is a hold, whose samples it returns.
func (b *bench) saleSlice(ctx context.Context, s *supply, rate int) (saleResult, []openloop.Sample) {
	fresh, taken := s.wishes[s.used:], s.taken()
	page := "/api/v1/events/" + s.wishes[0].event
	const look, hold, late = 0, 1, 2
	kind := func(i int) int {
		if len(taken) == 0 && i%3 == late {
			return look
		}
		return i % 3
	}
	run := pace(float64(3*rate), saleSlice)
	run.Count = min(run.Count, 3*len(fresh))
	run.Request = func(buf []byte, i int) []byte {
		switch kind(i) {
		case hold:
			return b.wire.hold(buf, holdPath, &fresh[i/3])
		case late:
			w := taken[(i*31)%len(taken)]
			w.buyer += 7919
			return b.wire.hold(buf, holdPath, &w)
		default:
			return b.wire.get(buf, page, "")
		}
	}
	run.Then = func(buf []byte, i, status int, body []byte) []byte {
		if kind(i) != hold || !created(status) {
			return buf
		}
		return b.wire.pay(buf, fresh[i/3].buyer, bookingID(body))
	}
	answers := b.target.Do(ctx, run)
	r := saleResult{ByStatus: map[int]int{}}
	var holds []openloop.Sample
	for i, sample := range answers.Samples {
		r.Requests++
		r.ByStatus[sample.Status]++
		fine := sample.Status == 409 || sample.Status == 429
		switch kind(i) {
		case look:
			fine = fine || sample.Status == 200
		case hold:
			holds = append(holds, sample)
			fine = fine || created(sample.Status)
			if !created(sample.Status) {
				break
			}
			r.Held++
			r.Requests++
			r.ByStatus[sample.Second]++
			if sample.Second == 202 {
				r.Paid++
			} else if sample.Second != 409 && sample.Second != 429 {
				r.Failed++
			}
		case late:
			// The first hold may have run out, or its answer got lost.
			fine = fine || created(sample.Status)
		}
		if !fine {
			r.Failed++
		}
	}
	s.used += (len(answers.Samples) + 2) / 3
	return r, holds
}

func (r *saleResult) add(slice saleResult) {
	r.Requests += slice.Requests
	r.Failed += slice.Failed
	r.Held += slice.Held
	r.Paid += slice.Paid
	for status, n := range slice.ByStatus {
		r.ByStatus[status] += n
	}
}

// delays reads the times of the holds that were made.
func (r *saleResult) delays(samples []openloop.Sample) {
	sum := openloop.Summarize(openloop.Result{Samples: samples}, created)
	r.P50, r.P99, r.Max = ms(openloop.Quantile(sum.Accepted, .5)), ms(openloop.Quantile(sum.Accepted, .99)), ms(openloop.Quantile(sum.Accepted, 1))
	for _, s := range samples {
		if !created(s.Status) {
			continue
		}
		second := int(time.Duration(s.Done) / time.Second)
		for len(r.PerSecond) <= second {
			r.PerSecond = append(r.PerSecond, 0)
		}
		r.PerSecond[second]++
	}
}

// settleSale waits until every hold and every payment has ended, and reads the stores.
func (b *bench) settleSale(ctx context.Context, e *event, r *saleResult) error {
	auditor, err := audit.Open(ctx, b.running)
	if err != nil {
		return err
	}
	defer auditor.Close(ctx)
	begin := time.Now()
	var report audit.Report
	err = until(ctx, saleSettle, "holds and payments to end", func() bool {
		var failed error
		report, failed = auditor.Event(ctx, e.id, len(e.blockSeats))
		if failed != nil {
			b.say("the stores cannot be read: %s", failed)
		}
		return failed == nil && report.Unsettled == 0
	})
	if err != nil && ctx.Err() != nil {
		return err
	}
	r.SettledAfter = time.Since(begin).Seconds()
	r.Confirmed, r.SoldTwice, r.LedgerDifference, r.Unsettled = report.Confirmed, len(report.SoldTwice), report.Difference(), report.Unsettled
	if errors.Is(err, context.DeadlineExceeded) {
		b.say("NOT settled: %d holds or payments are open", r.Unsettled)
	}
	return nil
}

// verdict names what must not be, whatever was broken in the sale.
func (r *saleResult) verdict() error {
	statuses := slices.Sorted(maps.Keys(r.ByStatus))
	switch {
	case r.SoldTwice != 0:
		return fmt.Errorf("%d seats were sold twice", r.SoldTwice)
	case r.LedgerDifference != 0:
		return fmt.Errorf("captured − refunded is not the price of the confirmed bookings: the difference is %d", r.LedgerDifference)
	case r.Unsettled != 0:
		return fmt.Errorf("%d holds or payments have not ended", r.Unsettled)
	case r.Held == 0:
		return fmt.Errorf("nobody could hold a seat: statuses %v", statuses)
	}
	return nil
}
