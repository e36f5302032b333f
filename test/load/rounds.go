package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/cpu"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
)

const (
	rounds      = 5
	sliceLength = 4 * time.Second
	// shortSlice is for kinds that are slow and use few of the requests, or
	// are only informational.
	shortSlice = 3 * time.Second
	warmSlice  = 10 * time.Second
	bigHall    = 50_000
	plenty     = 200_000

	noopPath     = "/api/v1/bench/noop"
	rowsPath     = "/api/v1/bench/rows"
	advisoryPath = "/api/v1/bench/advisory"
)

// warm lets compilers, caches and pools settle: the test measures a running
// system, not its start.
func (b *bench) warm(ctx context.Context, length time.Duration) error {
	for begin := time.Now(); time.Since(begin) < length; {
		s, err := b.newBacklog(ctx, bigHall, 1)
		if err != nil {
			return err
		}
		_, sum := b.hold(ctx, s, holdPath, saturate(warmSlice))
		b.progress("warming up: %.0f holds a second", sum.PerSecond)
	}
	s, err := b.newBacklog(ctx, bigHall, 1)
	if err != nil {
		return err
	}
	if err := b.prepareRows(ctx, s.requests[0].event); err != nil {
		return err
	}
	shares := s.split(1, 1, 1)
	for _, step := range []struct {
		s    *backlog
		path string
	}{{shares[0], holdPath}, {shares[1], rowsPath}, {shares[2], advisoryPath}} {
		if _, sum := b.hold(ctx, step.s, step.path, saturate(shortSlice)); sum.Accepted.TotalCount() == 0 {
			return fmt.Errorf("%s: no request was answered as expected: by status %v", step.path, sum.ByStatus)
		}
	}
	b.repeatHolds(ctx, s.requests, noopPath, saturate(shortSlice), ok)
	b.sold = shares[0].sent()
	b.progress("warm: %d holds", len(b.sold))
	return nil
}

// compare measures every kind in every round, in a different order each round,
// so that drift affects all kinds equally.
func (b *bench) compare(ctx context.Context) error {
	bare, stop, err := startHop(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for round := range rounds {
		s, err := b.newBacklog(ctx, bigHall, 1)
		if err != nil {
			return err
		}
		event := s.requests[0].event
		if err := b.prepareRows(ctx, event); err != nil {
			return err
		}
		// The same seats are free in Cassandra and in Postgres. Each kind's
		// part contains a share of every block.
		inCassandra, inPostgres := s.split(5, 1), s.split(1, 1)
		kinds := []func(context.Context, int) error{
			func(ctx context.Context, round int) error { return b.hop(ctx, round, bare) },
			func(ctx context.Context, round int) error { return b.noop(ctx, round) },
			func(ctx context.Context, round int) error { return b.onlyAppends(ctx, round) },
			func(ctx context.Context, round int) error { return b.oneHoldPerRound(ctx, round, inCassandra[1]) },
			func(ctx context.Context, round int) error {
				return b.freshHolds(ctx, kindRows, round, inPostgres[0], rowsPath, sliceLength)
			},
			func(ctx context.Context, round int) error {
				return b.freshHolds(ctx, kindAdvisory, round, inPostgres[1], advisoryPath, sliceLength)
			},
			func(ctx context.Context, round int) error {
				return b.freshHolds(ctx, kindHold, round, inCassandra[0], holdPath, sliceLength)
			},
			func(ctx context.Context, round int) error { return b.refused(ctx, round) },
			func(ctx context.Context, round int) error { return b.browse(ctx, round) },
		}
		for i := range kinds {
			if err := kinds[(i+3*round)%len(kinds)](ctx, round); err != nil {
				return err
			}
		}
		b.sold = inCassandra[0].sent()
	}
	b.holdMax = b.median("compare", kindHold)
	b.ratios("e_over_a", kindHold, kindNoop)
	b.ratios("e_over_c", kindHold, kindSingle)
	b.ratios("e_over_d_rows", kindHold, kindRows)
	b.ratios("e_over_d_advisory", kindHold, kindAdvisory)
	b.ratios("refused_over_accepted", kindRefused, kindHold)
	b.ratios("refused_over_noops", kindRefused, kindNoop)
	b.ratios("browse_over_noop", kindBrowse, kindNoop)
	machine := func(kind string) []float64 {
		return b.collect("compare", kind, func(s *report.Slice) float64 { return s.CPUPer(cpu.Machine) })
	}
	holds, rows, noops := machine(kindHold), machine(kindRows), machine(kindNoop)
	for i := range holds {
		b.record("beyond_noop_ratio", (holds[i]-noops[i])/(rows[i]-noops[i]))
	}
	b.record("noop_over_hop", quotients(noops, machine(kindHop))...)
	b.record("hop_us", machine(kindHop)...)
	b.record("hold_us", holds...)
	b.record("rows_us", rows...)
	b.record("noop_us", noops...)
	b.record("holds_per_s", b.perSecond("compare", kindHold)...)
	b.record("noops_per_s", b.perSecond("compare", kindNoop)...)
	b.record("append_per_s", b.perSecond("compare", kindAppend)...)
	return nil
}

// freshHolds measures holds of free seats at a path.
func (b *bench) freshHolds(ctx context.Context, kind string, round int, s *backlog, path string, length time.Duration) error {
	_, err := b.slice(ctx, "compare", kind, round, 0, func() (openloop.Result, openloop.Summary, error) {
		result, sum := b.hold(ctx, s, path, saturate(length))
		return result, sum, nil
	})
	return err
}

func (b *bench) oneHoldPerRound(ctx context.Context, round int, s *backlog) error {
	if err := b.limitRounds(ctx, 1); err != nil {
		return err
	}
	err := b.freshHolds(ctx, kindSingle, round, s, holdPath, shortSlice)
	// Even if ctx has ended: the replicas may continue to serve.
	if back := b.limitRounds(context.WithoutCancel(ctx), 0); err == nil {
		err = back
	}
	return err
}

func (b *bench) noop(ctx context.Context, round int) error {
	_, err := b.slice(ctx, "compare", kindNoop, round, 0, func() (openloop.Result, openloop.Summary, error) {
		result, sum := b.repeatHolds(ctx, b.sold, noopPath, saturate(sliceLength), ok)
		return result, sum, nil
	})
	return err
}

func (b *bench) refused(ctx context.Context, round int) error {
	_, err := b.slice(ctx, "compare", kindRefused, round, 0, func() (openloop.Result, openloop.Summary, error) {
		result, sum := b.repeatHolds(ctx, b.sold, holdPath, saturate(sliceLength), conflict)
		return result, sum, nil
	})
	return err
}

// onlyAppends makes a booking replica append entries of 100 holds to one log,
// with no other load.
func (b *bench) onlyAppends(ctx context.Context, round int) error {
	_, err := b.slice(ctx, "compare", kindAppend, round, 0, func() (openloop.Result, openloop.Summary, error) {
		var answer struct {
			PerSecond float64 `json:"per_second"`
			Count     int     `json:"count"`
		}
		query := url.Values{"length": {shortSlice.String()}}
		err := b.admin(ctx, bookingReplicas[0], http.MethodPost, "/debug/bench/append", query, &answer)
		sum := openloop.Summarize(openloop.Result{}, ok)
		sum.Count, sum.PerSecond = answer.Count, answer.PerSecond
		return openloop.Result{}, sum, err
	})
	return err
}

// browse alternates between the event's page and its seats as a returning
// visitor does, with the ETag of the seats.
func (b *bench) browse(ctx context.Context, round int) error {
	event := b.sold[0].event
	page := "/api/v1/events/" + event
	seats := page + "/seats"
	etag, err := b.etag(ctx, "/events/"+event+"/seats")
	if err != nil {
		return err
	}
	if _, err := b.get(ctx, kindBrowse, round, func(buf []byte, i int) []byte {
		if i%2 == 0 {
			return b.wire.get(buf, page, "")
		}
		return b.wire.get(buf, seats, etag)
	}); err != nil {
		return err
	}
	if _, err := b.get(ctx, "browse: event", round, func(buf []byte, _ int) []byte { return b.wire.get(buf, page, "") }); err != nil {
		return err
	}
	if _, err := b.get(ctx, "browse: 304", round, func(buf []byte, _ int) []byte { return b.wire.get(buf, seats, etag) }); err != nil {
		return err
	}
	_, err = b.get(ctx, "browse: all seats", round, func(buf []byte, _ int) []byte { return b.wire.get(buf, seats, "") })
	return err
}
