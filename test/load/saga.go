package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
)

const (
	sagaRounds = 3
	sagaLength = 5 * time.Second
	// sagaWindow limits the unconfirmed bookings: with more, the test would
	// measure a growing queue instead of a sustainable rate.
	sagaWindow = 1024
	// sagaTimeout is how long the last confirmations may take.
	sagaTimeout = 15 * time.Second
)

// saga measures whole purchases: hold, payment, confirmation. Buyers see the
// confirmation as a page with the seats does: in the event's stream.
func (b *bench) saga(ctx context.Context) error {
	for round := range sagaRounds {
		if _, err := b.purchases(ctx, round, 0, openloop.Run{Count: plenty, Length: sagaLength, Connections: saturating}); err != nil {
			return err
		}
	}
	most := b.perSecond("saga", kindSaga)
	b.record("saga_per_s", most...)
	for _, rate := range most {
		b.record("saga_over_holds", rate/b.holdMax)
	}
	_, noop, _ := report.Spread(b.collect("compare", kindNoop, func(s *report.Slice) float64 { return s.CPUPer(cpu.Machine) }))
	for _, purchase := range b.collect("saga", kindSaga, func(s *report.Slice) float64 { return s.CPUPer(cpu.Machine) }) {
		if noop > 0 {
			b.record("saga_cpu_over_noop", purchase/noop)
		}
	}
	_, median, _ := report.Spread(most)
	for round := range sagaRounds {
		slice, err := b.purchases(ctx, round, median/2, pace(median/2, sagaLength))
		if err != nil {
			return err
		}
		b.record("saga_p99_s", slice.Quantile(.99)/1000)
	}
	return nil
}

// purchases buys pairs. It sets a sample's Done to the time the seats were seen
// sold.
func (b *bench) purchases(ctx context.Context, round int, rate float64, run openloop.Run) (report.Slice, error) {
	s, err := b.newBacklog(ctx, bigHall, 1)
	if err != nil {
		return report.Slice{}, err
	}
	confirmed := newConfirmations(s)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	opened := make(chan struct{}, 1)
	w := &watcher{address: b.wire.host, event: s.requests[0].event, data: confirmed.observe, opened: func() {
		select {
		case opened <- struct{}{}:
		default:
		}
	}}
	go w.watch(ctx)
	select {
	case <-opened:
	case <-time.After(10 * time.Second):
		return report.Slice{}, fmt.Errorf("open stream of event %s: timed out", w.event)
	}
	part := "saga"
	if rate > 0 {
		part = "saga, half"
	}
	return b.slice(ctx, part, kindSaga, round, rate, func() (openloop.Result, openloop.Summary, error) {
		run.Count = min(run.Count, s.remaining())
		run.Request = func(buf []byte, i int) []byte {
			if rate == 0 {
				confirmed.acquire(ctx)
			}
			return b.wire.hold(buf, holdPath, &s.requests[i])
		}
		run.Then = func(buf []byte, i, status int, body []byte) []byte {
			if !created(status) {
				confirmed.release()
				return buf
			}
			return b.wire.pay(buf, s.requests[i].buyer, bookingID(body))
		}
		result := b.target.Do(ctx, run)
		paid := 0
		for i := range result.Samples {
			if result.Samples[i].Second == 202 {
				paid++
			}
		}
		if err := confirmed.awaitSold(ctx, paid); err != nil {
			b.progress("%s", err)
		}
		confirmed.setDone(&result)
		return result, openloop.Summarize(result, created), nil
	})
}

// bookingID extracts the id from the beginning of a booking's JSON.
func bookingID(body []byte) []byte {
	const before = `"id":"`
	at := bytes.Index(body, []byte(before))
	if at < 0 {
		return nil
	}
	body = body[at+len(before):]
	if end := bytes.IndexByte(body, '"'); end >= 0 {
		return body[:end]
	}
	return nil
}

// pay appends a payment for a booking that will succeed.
func (w *wire) pay(buf []byte, buyer int, booking []byte) []byte {
	var scratch [128]byte
	body := append(scratch[:0], `{"booking_id":"`...)
	body = append(body, booking...)
	body = append(body, `","payment_method":"pm_ok"}`...)
	return w.post(buf, "/api/v1/payments", buyer, body)
}

// confirmations records which of a backlog's pairs were seen sold, and when.
type confirmations struct {
	numbers map[pair]int
	// soldAt is in Unix nanoseconds; 0 if not seen.
	soldAt []atomic.Int64
	sold   atomic.Int64
	window chan struct{}
}

func newConfirmations(s *backlog) *confirmations {
	c := &confirmations{numbers: make(map[pair]int, len(s.requests)), soldAt: make([]atomic.Int64, len(s.requests)), window: make(chan struct{}, sagaWindow)}
	for i, w := range s.requests {
		c.numbers[w.pair] = i
	}
	return c
}

// acquire waits until fewer than sagaWindow bookings are unconfirmed.
func (c *confirmations) acquire(ctx context.Context) {
	select {
	case c.window <- struct{}{}:
	case <-ctx.Done():
	}
}

func (c *confirmations) release() {
	select {
	case <-c.window:
	default:
	}
}

// observe processes an event of the stream.
func (c *confirmations) observe(name string, data []byte) {
	now := time.Now()
	if name == "delta" {
		eachSold(data, func(block, index int) { c.markSold(pair{block, index}, now) })
		return
	}
	var snapshot client.Availability
	if json.Unmarshal(data, &snapshot) != nil {
		return
	}
	for n, block := range snapshot.Blocks {
		for index := 0; index < len(block.States); index += 2 {
			if block.States[index] == 's' {
				c.markSold(pair{n + 1, index}, now)
			}
		}
	}
}

// markSold counts a pair once, by its first seat.
func (c *confirmations) markSold(p pair, now time.Time) {
	if i, known := c.numbers[p]; known && c.soldAt[i].CompareAndSwap(0, now.UnixNano()) {
		c.sold.Add(1)
		c.release()
	}
}

// eachSold finds the seats in a delta that were sold: {…"12-45":"sold"…}.
func eachSold(data []byte, seat func(block, index int)) {
	after := []byte(`":"sold"`)
	for {
		at := bytes.Index(data, after)
		if at < 0 {
			return
		}
		begin := bytes.LastIndexByte(data[:at], '"') + 1
		if block, index, ok := bytes.Cut(data[begin:at], []byte("-")); ok {
			seat(decimalOf(block), decimalOf(index))
		}
		data = data[at+len(after):]
	}
}

func decimalOf(digits []byte) int {
	n := 0
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}

// awaitSold waits until as many pairs were seen sold as were paid.
func (c *confirmations) awaitSold(ctx context.Context, paid int) error {
	return poll(ctx, sagaTimeout, fmt.Sprintf("%d paid bookings to be confirmed", paid), func() bool { return int(c.sold.Load()) >= paid })
}

// setDone sets the end of each sample to the time its pair was seen sold. A pair
// that was not seen sold counts as unanswered.
func (c *confirmations) setDone(r *openloop.Result) {
	for i := range r.Samples {
		s := &r.Samples[i]
		if at := c.soldAt[i].Load(); at > 0 {
			s.Done = at - r.Begin.UnixNano()
		} else if created(s.Status) {
			s.Status, s.Done = 0, 0
		}
	}
}
