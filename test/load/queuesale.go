package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/queue/history"
)

// selling is one event on sale to the audience, and what its people measured.
type selling struct {
	a        *audience
	e        *event
	starts   time.Time
	recorder *history.Recorder

	joins, holds delays
	// admission is the last one given, for bots to steal.
	admission atomic.Pointer[string]
	// intruded counts the bots' holds that succeeded.
	intruded atomic.Int64
	waiting  atomic.Int64
	// bought has the people who got seats.
	bought   sync.Map
	failures failures

	// taken, nearly and soldOut are when no seat was available for the first
	// time, 99 % were sold, and none was available or held, since the sale
	// started.
	taken, nearly, soldOut time.Duration
	// rate is how many holds a second were accepted.
	rate float64
}

func (a *audience) selling(e *event, starts time.Time) *selling {
	return &selling{a: a, e: e, starts: starts, recorder: history.NewRecorder(), failures: failures{counts: map[string]int{}}}
}

// delays are how long requests took, and when each was answered.
type delays struct {
	mu   sync.Mutex
	took []time.Duration
	at   []time.Time
}

func (d *delays) add(due time.Time) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.took, d.at = append(d.took, now.Sub(due)), append(d.at, now)
}

func (d *delays) p99() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d.took))
	return sorted[len(sorted)*99/100]
}

// rate returns answers a second up to a time, without the first 5 % and the
// last 10 %.
func (d *delays) rate(until time.Time) float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := slices.DeleteFunc(slices.Clone(d.at), func(t time.Time) bool { return t.After(until) })
	slices.SortFunc(at, time.Time.Compare)
	first, last := len(at)/20, len(at)*9/10
	if last <= first {
		return 0
	}
	return float64(last-first) / at[last].Sub(at[first]).Seconds()
}

// failures counts unexpected outcomes.
type failures struct {
	mu     sync.Mutex
	counts map[string]int
}

func (f *failures) add(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[what]++
}

func (f *failures) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint(f.counts)
}

// awaitSold returns when all seats are sold. It prints the progress.
func (s *selling) awaitSold(ctx context.Context) error {
	b := s.a.b
	reported := time.Now()
	for s.soldOut == 0 {
		if !clock.Sleep(ctx, pollEvery) {
			return ctx.Err()
		}
		if time.Since(s.starts) > sellTimeout {
			return fmt.Errorf("not sold out after %s; failures: %s", sellTimeout, &s.failures)
		}
		r, err := b.organizer.client.QueueReport(ctx, s.e.id)
		if err != nil {
			s.failures.add("report: " + err.Error())
			continue
		}
		now, q := time.Since(s.starts), r.Queue
		if q.SeatsAvailable == 0 && s.taken == 0 {
			s.taken = now
			s.rate = s.holds.rate(time.Now())
			b.progress("no seat is available %.1f s after the start; %.0f holds a second, p99 %.0f ms", now.Seconds(), s.rate, ms(s.holds.p99()))
		}
		if s.nearly == 0 && 100*r.Sold >= 99*s.e.seats {
			s.nearly = now
		}
		if q.SeatsAvailable == 0 && q.SeatsHeld == 0 {
			s.soldOut = now
		}
		if time.Since(reported) > queueReportEvery || s.soldOut > 0 {
			reported = time.Now()
			b.progress("%5.1f s: %d available, %d held, %d sold; %d wait, %d called, %d shopping, %d holding; crowd %.0f, %s, p99 %.0f ms, %.0f holds/s",
				now.Seconds(), q.SeatsAvailable, q.SeatsHeld, r.Sold, q.Lanes.General.Waiting, r.Called, r.Shopping, r.Holding, r.Crowd, r.Reason,
				1000*r.HoldP99Seconds, r.HoldsPerSecond)
		}
	}
	b.progress("sold out %.1f s after the start; other answers: %s", s.soldOut.Seconds(), &s.failures)
	return nil
}

// sellOpen sells an event without a queue to the same people, of whom rate a
// second come when the sale has started.
func (a *audience) sellOpen(ctx context.Context, rate float64) (*selling, error) {
	e, err := a.b.organizer.open(ctx, a.seats, queuedHold)
	if err != nil {
		return nil, err
	}
	if err := a.b.awaitIdle(ctx); err != nil {
		return nil, err
	}
	if rate == 0 {
		return nil, errors.New("no rate: hardly a hold was accepted with a queue")
	}
	s := a.selling(e, time.Now())
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var under sync.WaitGroup
	under.Go(func() {
		// Who has got nothing tries again.
		for n, came := 0, 0; ; n++ {
			p := a.people[n%len(a.people)]
			if _, bought := s.bought.Load(p); bought {
				continue
			}
			due := s.starts.Add(time.Duration(float64(came) / rate * float64(time.Second)))
			if !clock.Sleep(ctx, time.Until(due)) {
				return
			}
			came++
			under.Go(func() { s.shop(ctx, p, "") })
		}
	})
	a.b.progress("the same people, %.0f a second, want %d seats of an event without a queue", rate, e.seats)
	err = s.awaitSold(ctx)
	stop()
	under.Wait()
	return s, err
}
