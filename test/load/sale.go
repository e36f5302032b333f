package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	saleBuyers = 5_000
	// saleReport is how often the sale prints its progress.
	saleReport = 5 * time.Second
	// saleHold is long enough for a payment to finish during a temporary fault,
	// and short enough to wait for its expiry.
	saleHold = 60
	// saleSettle is how long holds and payments may take to end after the last
	// buyer.
	saleSettle = 5 * time.Minute
)

// saleResult is the outcome of a sale according to buyers and stores.
type saleResult struct {
	Seconds  float64     `json:"seconds"`
	Requests int         `json:"requests"`
	ByStatus map[int]int `json:"by_status"`
	// Failed counts requests without a response, and those with an unexpected
	// status other than 409 or 429.
	Failed int `json:"failed"`
	// Held and Paid count responses with 201 and 202; Confirmed is the store's
	// count.
	Held      int `json:"held"`
	Paid      int `json:"paid"`
	Confirmed int `json:"confirmed"`
	// Milliseconds from when a hold was due to its response.
	P50 float64 `json:"hold_p50_ms"`
	P99 float64 `json:"hold_p99_ms"`
	Max float64 `json:"hold_max_ms"`
	// Begin is the start of the sale; PerSecond counts the holds answered 201
	// in each second since.
	Begin     time.Time `json:"begin"`
	PerSecond []int     `json:"holds_per_second"`

	SoldTwice        int     `json:"sold_twice"`
	LedgerDifference int64   `json:"ledger_difference"`
	Unsettled        int     `json:"unsettled"`
	SettledAfter     float64 `json:"settled_after_s"`
}

// onlySale sells an event at a steady rate until the time is over or stop ends.
// Some requests view the page, some hold a pair and pay, and some request a
// taken pair. Then it waits until everything is settled, checks, and writes the
// result.
func (b *bench) onlySale(ctx, stop context.Context, o options) error {
	e, err := b.organizer.open(ctx, 2*o.rate*o.seconds, saleHold)
	if err != nil {
		return err
	}
	s := &steadySale{b: b, requests: backlogOf(e, 1).requests, page: "/api/v1/events/" + e.id}
	b.progress("an event of %d seats is on sale, %d requests a second", e.seats, kinds*o.rate)
	over := make(chan struct{})
	go s.report(over)
	run := pace(float64(kinds*o.rate), time.Duration(o.seconds)*time.Second)
	run.Count, run.Stop = kinds*len(s.requests), stop.Done()
	run.Request, run.Then = s.request, s.then
	run.Answer, run.Second, run.Lost = s.answer, s.second, s.lost
	answers := b.target.Do(ctx, run)
	close(over)
	result := s.count(answers)
	if err := b.settleSale(ctx, e, &result); err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	b.progress("%d requests, %d failed; %d held, %d paid, %d confirmed; %d sold twice, ledger difference %d; settled after %.1f s; holds p50 %.1f ms, p99 %.1f, max %.0f",
		result.Requests, result.Failed, result.Held, result.Paid, result.Confirmed, result.SoldTwice, result.LedgerDifference,
		result.SettledAfter, result.P50, result.P99, result.Max)
	if o.result != "" {
		if err := os.WriteFile(o.result, append(text, '\n'), 0o600); err != nil {
			return err
		}
	}
	return result.violation()
}

// steadySale makes the requests of a sale, with the kinds in turn.
type steadySale struct {
	b        *bench
	requests []holdRequest
	page     string
	held     atomic.Int64
	other    atomic.Int64
}

// Kinds of requests, by their number modulo kinds.
const (
	look = iota
	hold
	late
	kinds
	// lateLag is how many holds separate a late buyer from the hold that took
	// its pair.
	lateLag = 30
)

func (s *steadySale) request(buf []byte, i int) []byte {
	switch n := i / kinds; {
	case i%kinds == hold:
		return s.b.wire.hold(buf, holdPath, &s.requests[n])
	case i%kinds == late && n >= lateLag:
		w := s.requests[n-lateLag]
		w.buyer += 7919
		return s.b.wire.hold(buf, holdPath, &w)
	default:
		return s.b.wire.get(buf, s.page, "")
	}
}

func (s *steadySale) then(buf []byte, i, status int, body []byte) []byte {
	if i%kinds != hold || !created(status) {
		return buf
	}
	return s.b.wire.pay(buf, s.requests[i/kinds].buyer, bookingID(body))
}

func (s *steadySale) answer(i, status int, body []byte) {
	switch {
	case i%kinds == hold && created(status):
		s.held.Add(1)
	case !acceptable(i, status):
		s.fail([]string{"look", "hold", "late hold"}[i%kinds], describeError(status, body))
	}
}

func (s *steadySale) second(_, status int, body []byte) {
	if !acceptablePayment(status) {
		s.fail("payment", describeError(status, body))
	}
}

func (s *steadySale) lost(i int, err error) {
	s.fail([]string{"look", "hold or its payment", "late hold"}[i%kinds], "no answer: "+err.Error())
}

// shownFailures limits the lines about failed requests.
const shownFailures = 100

// fail prints a failed request with its time.
func (s *steadySale) fail(what, why string) {
	if s.other.Add(1) <= shownFailures {
		fmt.Fprintf(os.Stderr, "%s  failed: %s: %s\n", time.Now().Format("15:04:05.000"), what, why)
	}
}

// describeError says where a response came from: Frontrow's own errors are problems
// with a code.
func describeError(status int, body []byte) string {
	var problem struct{ Code, Detail string }
	if err := json.Unmarshal(body, &problem); err != nil || problem.Code == "" {
		return fmt.Sprintf("%d from a proxy in front: %.100q", status, body)
	}
	return fmt.Sprintf("%d %s: %s", status, problem.Code, problem.Detail)
}

// acceptablePayment reports whether a payment's response is acceptable.
func acceptablePayment(status int) bool { return status == 202 || status == 409 || status == 429 }

// acceptable reports whether a response is acceptable. A late buyer's seats may be
// free again, if the response to the first hold was lost or the hold expired.
func acceptable(i, status int) bool {
	return status == 409 || status == 429 || i%kinds != hold && status == 200 || i%kinds != look && created(status)
}

// report prints the progress from time to time.
func (s *steadySale) report(over <-chan struct{}) {
	tick := time.NewTicker(saleReport)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.b.progress("%d holds made, %d requests failed", s.held.Load(), s.other.Load())
		case <-over:
			return
		}
	}
}

func (s *steadySale) count(answers openloop.Result) saleResult {
	r := saleResult{Begin: answers.Begin, Seconds: answers.Length.Seconds(), ByStatus: map[int]int{}}
	var holds []openloop.Sample
	for i, sample := range answers.Samples {
		r.Requests++
		r.ByStatus[sample.Status]++
		if !acceptable(i, sample.Status) {
			r.Failed++
		}
		if i%kinds != hold || !created(sample.Status) {
			continue
		}
		holds = append(holds, sample)
		r.Held++
		r.Requests++
		r.ByStatus[sample.Second]++
		switch {
		case sample.Second == 202:
			r.Paid++
		case !acceptablePayment(sample.Second):
			r.Failed++
		}
	}
	r.delays(holds)
	return r
}

// delays computes the delays of successful holds.
func (r *saleResult) delays(samples []openloop.Sample) {
	sum := openloop.Summarize(openloop.Result{Samples: samples}, created)
	r.P50, r.P99, r.Max = ms(openloop.Quantile(sum.Accepted, .5)), ms(openloop.Quantile(sum.Accepted, .99)), ms(openloop.Quantile(sum.Accepted, 1))
	for _, s := range samples {
		second := int(time.Duration(s.Done) / time.Second)
		for len(r.PerSecond) <= second {
			r.PerSecond = append(r.PerSecond, 0)
		}
		r.PerSecond[second]++
	}
}

// settleSale waits until every hold and every payment has ended, and reads the
// stores.
func (b *bench) settleSale(ctx context.Context, e *event, r *saleResult) error {
	begin := time.Now()
	var auditor *audit.Auditor
	var unreachable error
	// A store may just be restarting.
	err := poll(ctx, time.Minute, "the stores", func() bool {
		auditor, unreachable = audit.Open(ctx, b.running)
		return unreachable == nil
	})
	if err != nil {
		return errors.Join(err, unreachable)
	}
	defer auditor.Close(ctx)
	var report audit.Report
	err = poll(ctx, saleSettle, "holds and payments to end", func() bool {
		var failed error
		report, failed = auditor.Event(ctx, e.id)
		if failed != nil {
			b.progress("the stores cannot be read: %s", failed)
		}
		return failed == nil && report.Unsettled == 0
	})
	if err != nil && ctx.Err() != nil {
		return err
	}
	r.SettledAfter = time.Since(begin).Seconds()
	r.Confirmed, r.SoldTwice, r.LedgerDifference, r.Unsettled = report.Confirmed, len(report.SoldTwice), report.Difference(), report.Unsettled
	if len(report.Inconsistent) > 0 {
		return fmt.Errorf("the event's log breaks the rules: %v", report.Inconsistent)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		b.progress("NOT settled: %d holds or payments are open", r.Unsettled)
	}
	return nil
}

// violation names every violation, whatever faults the sale had.
func (r *saleResult) violation() error {
	statuses := slices.Sorted(maps.Keys(r.ByStatus))
	switch {
	case r.SoldTwice != 0:
		return fmt.Errorf("%d seats were sold twice", r.SoldTwice)
	case r.LedgerDifference != 0:
		return fmt.Errorf("captured − refunded is not the price of the confirmed bookings: the difference is %d", r.LedgerDifference)
	case r.Unsettled != 0:
		return fmt.Errorf("%d holds or payments have not ended", r.Unsettled)
	case r.Held == 0:
		return fmt.Errorf("no seat was held: statuses %v", statuses)
	}
	return nil
}
