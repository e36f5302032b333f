package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/load/report"
	"github.com/frontrow-tickets/frontrow/test/queue"
	"github.com/frontrow-tickets/frontrow/test/queue/check"
	"github.com/frontrow-tickets/frontrow/test/queue/history"
)

const (
	queueResultFile = ".run/queue.json"
	// peoplePerSeat is how many people want each seat.
	peoplePerSeat = 5
	// earlyShare is the share of people who come before the sale starts.
	earlyShare = .7
	// earlyLength and lateLength are the times in which people arrive before and
	// after the sale starts.
	earlyLength, lateLength = time.Minute, time.Minute
	// idleLength is before the first arrival, and waitLength between the last
	// early arrival and the start of the sale. Costs are measured in both.
	idleLength, waitLength = 10 * time.Second, 30 * time.Second
	// publishLength is how long an event takes to appear at most.
	publishLength = 15 * time.Second
	// queuedHold is short, so that seats of people who don't pay come back soon.
	queuedHold       = 20
	queuedAdmission  = 2 * time.Minute
	sellTimeout      = 6 * time.Minute
	queueReportEvery = 5 * time.Second
	// pollEvery is how often the seller looks whether seats are left.
	pollEvery = 200 * time.Millisecond
)

// queueFigures are the rows of the table.
func queueFigures() []report.Figure {
	return []report.Figure{
		{Name: "sold", Goal: 1, Description: "share of the seats sold"},
		{Name: "untokened_holds", Goal: 0, AtMost: true, Description: "holds without an admission of their own that succeeded"},
		{Name: "violations", Goal: 0, AtMost: true, Description: "violations that the checker found in the history"},
		{Name: "draw_spearman_p", Goal: .001, Description: "p of the rank correlation of arrival and rank in the draw"},
		{Name: "draw_chi_square_p", Goal: .001, Description: "p of the chi-square over deciles of arrival and rank"},
		{Name: "queue_hold_p99_ms", Goal: 500, AtMost: true, Unit: "ms", Description: "p99 of a hold, from when it was due"},
		{Name: "sell_out_ratio", Goal: 1.3, AtMost: true, Description: "time to sell out over that without a queue at the same hold rate"},
		{Name: "sell_99_ratio", Goal: 1.3, AtMost: true, Description: "the same until 99 % are sold: the last seats are a matter of luck"},

		{Name: "sell_99_s", Goal: report.NoGoal, Unit: "s", Description: "from the start of the sale until 99 % of the seats are sold"},
		{Name: "sell_99_off_s", Goal: report.NoGoal, Unit: "s", Description: "the same without a queue"},
		{Name: "sell_out_s", Goal: report.NoGoal, Unit: "s", Description: "from the start of the sale until all seats are sold"},
		{Name: "sell_out_off_s", Goal: report.NoGoal, Unit: "s", Description: "the same without a queue"},
		{Name: "taken_s", Goal: report.NoGoal, Unit: "s", Description: "from the start of the sale until no seat is available"},
		{Name: "taken_off_s", Goal: report.NoGoal, Unit: "s", Description: "the same without a queue"},
		{Name: "hold_rate", Goal: report.NoGoal, Unit: "1/s", Description: "accepted holds a second, from 5 % to 90 % of those until no seat was available"},
		{Name: "off_hold_p99_ms", Goal: report.NoGoal, Unit: "ms", Description: "p99 of a hold without a queue"},
		{Name: "join_p99_ms", Goal: report.NoGoal, Unit: "ms", Description: "p99 of entering the queue, from when it was due"},
		{Name: "told_s", Goal: report.NoGoal, Unit: "s", Description: "until the last stream says that the event is sold out"},
		{Name: "waiting", Goal: report.NoGoal, Description: "people who wait while the costs are measured"},
		{Name: "wait_cpu_ms", Goal: report.NoGoal, Unit: "ms", Description: "processor time of gateway and booking-service a waiting person a minute"},
		{Name: "idle_cpu_ms", Goal: report.NoGoal, Unit: "ms", Description: "the same before anybody came, over as many people"},
		{Name: "wait_rss_bytes", Goal: report.NoGoal, Unit: "B", Description: "growth of their resident memory a waiting person"},
		{Name: "wait_heap_bytes", Goal: report.NoGoal, Unit: "B", Description: "growth of their live heap a waiting person"},
	}
}

// onlyQueue sells an event with a waiting room, then another one without to the
// same people at the same rate of holds, and compares.
func (b *bench) onlyQueue(ctx context.Context, people int) error {
	b.figures = queueFigures()
	if restore, err := preferClients(); err == nil {
		defer restore()
	} else {
		b.progress("the people compete with the system for the processors: %v", err)
	}
	a := newAudience(b, people)
	queued, err := a.sellQueued(ctx)
	if err != nil {
		return fmt.Errorf("with a queue: %w", err)
	}
	open, err := a.sellOpen(ctx, queued.rate)
	if err != nil {
		return fmt.Errorf("without a queue: %w", err)
	}
	b.record("sell_out_s", queued.soldOut.Seconds())
	b.record("sell_out_off_s", open.soldOut.Seconds())
	b.record("sell_out_ratio", queued.soldOut.Seconds()/open.soldOut.Seconds())
	b.record("sell_99_s", queued.nearly.Seconds())
	b.record("sell_99_off_s", open.nearly.Seconds())
	b.record("sell_99_ratio", queued.nearly.Seconds()/open.nearly.Seconds())
	b.record("taken_s", queued.taken.Seconds())
	b.record("taken_off_s", open.taken.Seconds())
	b.record("hold_rate", queued.rate)
	b.record("queue_hold_p99_ms", ms(queued.holds.p99()))
	b.record("off_hold_p99_ms", ms(open.holds.p99()))
	fmt.Fprintln(b.out)
	report.Table(b.out, b.figures)
	if err := report.WriteJSON(queueResultFile, b.figures); err != nil {
		return err
	}
	b.progress("written: %s", queueResultFile)
	var missed []string
	for i := range b.figures {
		if f := &b.figures[i]; f.HasGoal() && !f.Met() {
			missed = append(missed, f.Name)
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("missed goals: %v", missed)
	}
	return nil
}

// sellQueued sells the event with a waiting room.
func (a *audience) sellQueued(ctx context.Context) (*selling, error) {
	b := a.b
	starts := time.Now().Add(publishLength + idleLength + earlyLength + waitLength).UTC().Truncate(time.Second)
	e, err := b.organizer.openWith(ctx, a.seats, func(e *client.NewEvent) {
		e.HoldSeconds, e.SaleStartsAt = queuedHold, starts
		e.Queue = client.QueueSettings{
			Mode: "always", OpensBeforeSeconds: 3600, AdmissionSeconds: int(queuedAdmission.Seconds()),
		}
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	challenge, err := a.people[0].client.QueueChallenge(ctx, e.id)
	if err != nil {
		return nil, err
	}
	b.progress("the challenge is %s of %d bits", challenge.Kind, challenge.Bits)
	s := a.selling(e, starts)
	costs := &waitCosts{b: b}
	if err := costs.idle(ctx, idleLength); err != nil {
		return nil, err
	}
	groups, streams := s.openStreams(ctx)
	var under sync.WaitGroup
	early := time.Now()
	for i, p := range a.people {
		arrives := starts.Add(p.arrives)
		if p.arrives < 0 {
			arrives = early.Add(earlyLength + p.arrives)
		}
		under.Go(func() {
			if clock.Sleep(ctx, time.Until(arrives)) {
				s.queueUp(ctx, p, groups[i%len(groups)], arrives)
			}
		})
	}
	for _, p := range a.bots {
		arrives := starts.Add(p.arrives)
		under.Go(func() {
			if clock.Sleep(ctx, time.Until(arrives)) {
				s.intrude(ctx, p)
			}
		})
	}
	b.progress("%d people and %d bots want %d seats; the sale starts in %.0f s", len(a.people), len(a.bots), e.seats, time.Until(starts).Seconds())
	if !clock.Sleep(ctx, earlyLength) {
		return nil, ctx.Err()
	}
	if err := costs.wait(ctx, time.Until(starts)-2*time.Second, &s.waiting); err != nil {
		return nil, err
	}
	if !clock.Sleep(ctx, time.Until(starts)) {
		return nil, ctx.Err()
	}
	if err := s.awaitSold(ctx); err != nil {
		return nil, err
	}
	// Everybody is told, and the last requests are answered.
	under.Wait()
	stop()
	if err := streams(); err != nil {
		return nil, err
	}
	return s, s.checkQueue(context.WithoutCancel(ctx))
}

// openStreams opens the shared streams. The function returned waits for their
// end.
func (s *selling) openStreams(ctx context.Context) ([]*viewers, func() error) {
	groups := make([]*viewers, (len(s.a.people)+peoplePerStream-1)/peoplePerStream)
	errs := make([]error, len(groups))
	var under sync.WaitGroup
	for i := range groups {
		groups[i] = &viewers{waiting: map[*shopper]*wait{}}
		w := queue.Watcher{
			Client: s.a.source(i), EventID: s.e.id, Recorder: s.recorder, Stream: i, Frame: groups[i].frame,
		}
		under.Go(func() { errs[i] = w.Watch(ctx) })
	}
	return groups, func() error {
		under.Wait()
		return errors.Join(errs...)
	}
}

// checkQueue checks the history.
func (s *selling) checkQueue(ctx context.Context) error {
	b := s.a.b
	r, err := b.organizer.client.QueueReport(ctx, s.e.id)
	if err != nil {
		return err
	}
	b.progress("refused: %+v", r.Refused)
	b.record("sold", float64(r.Sold)/float64(s.e.seats))
	violations := 0
	for _, v := range check.All(check.Observations{Recorder: s.recorder, Admission: queuedAdmission, Entered: r.Entered}) {
		b.progress("%s", v)
		violations += len(v.Violations)
		for _, text := range v.Violations[:min(len(v.Violations), 5)] {
			b.progress("    %s", text)
		}
	}
	b.record("violations", float64(violations))
	b.record("untokened_holds", float64(s.intruded.Load()))
	b.record("told_s", toldAfter(s.recorder.Frames()).Seconds())
	b.record("join_p99_ms", ms(s.joins.p99()))
	ranks, err := check.Draw(r.Queue)
	if err != nil {
		return err
	}
	fit := check.FitOf(ranks)
	b.progress("draw of %d: Spearman's rho %.4f, p %.3f; chi-square %.1f, p %.3f", fit.People, fit.Spearman, fit.SpearmanP, fit.ChiSquare, fit.ChiSquareP)
	b.record("draw_spearman_p", fit.SpearmanP)
	b.record("draw_chi_square_p", fit.ChiSquareP)
	return nil
}

// toldAfter returns the time from the first frame that says sold_out to the
// last stream's first one.
func toldAfter(frames []history.Frame) time.Duration {
	told := map[int]time.Duration{}
	for _, f := range frames {
		if _, known := told[f.Stream]; !known && f.Queue.State == "sold_out" {
			told[f.Stream] = f.At
		}
	}
	var at []time.Duration
	for _, t := range told {
		at = append(at, t)
	}
	if len(at) == 0 {
		return 0
	}
	return slices.Max(at) - slices.Min(at)
}
