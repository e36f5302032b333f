package main

import (
	"context"
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
)

// figures are the rows of the table, those with a goal first.
func figures() []report.Figure {
	return []report.Figure{
		{Name: "e_over_a", Goal: .5, Description: "accepted holds over no-ops a second"},
		{Name: "e_over_c", Goal: 4, Description: "accepted holds over those with a round each"},
		{Name: "e_over_d_rows", Goal: 1.8, Description: "accepted holds over those by rows in Postgres"},
		{Name: "e_over_d_advisory", Goal: 3, Description: "the same with an advisory lock an event"},
		{Name: "holds_per_s", Goal: 4000, Unit: "1/s", Description: "accepted holds a second"},
		{Name: "append_per_s", Goal: 25_000, Unit: "1/s", Description: "holds appended to one log, 100 an entry, nothing else"},
		{Name: "noop_over_hop", Goal: 1.8, AtMost: true, Description: "processor time of a no-op over that of a bare proxy and server of net/http"},
		{Name: "beyond_noop_ratio", Goal: .4, AtMost: true, Description: "processor time of a hold beyond that of a no-op, over that of rows beyond a no-op"},
		{Name: "hold_p50_ms", Goal: 8, AtMost: true, Unit: "ms", Description: "p50 of a hold at half of the most"},
		{Name: "hold_p99_ms", Goal: 30, AtMost: true, Unit: "ms", Description: "p99 of a hold at half of the most"},
		{Name: "load_event_ms", Goal: 500, AtMost: true, Unit: "ms", Description: "until the first hold of an event of 50,000 held seats that no replica has in memory"},
		{Name: "owner_us_per_forwarded_hold", Goal: 40, AtMost: true, Unit: "µs", Description: "processor time of an event's owner a hold that another replica forwards"},
		{Name: "refused_over_accepted", Goal: 1, Description: "refused holds over accepted ones a second"},
		{Name: "refused_over_noops", Goal: .8, Description: "refused holds over no-ops a second"},
		{Name: "seats_scaling", Goal: .95, Description: "holds a second, 100,000 seats over 1,000 seats"},
		{Name: "bytes_per_seat", Goal: 64, AtMost: true, Unit: "B", Description: "heap of a booking replica a seat"},
		{Name: "saga_over_holds", Goal: .4, Description: "confirmed and paid bookings over holds a second"},
		{Name: "saga_cpu_over_noop", Goal: 8, AtMost: true, Description: "processor time of a purchase over that of a no-op"},
		{Name: "saga_p99_s", Goal: .5, AtMost: true, Unit: "s", Description: "p99 from the hold to confirmed, at half of the most"},
		{Name: "overload_accepted", Goal: .9, Description: "accepted at twice the most, over the most"},
		{Name: "browse_over_noop", Goal: 1.2, Description: "event's page and seats in turn, over no-ops a second"},
		{Name: "sse_watchers", Goal: watcherCount, Description: "watchers that see a change within 1 s"},

		{Name: "noops_per_s", Goal: report.NoGoal, Unit: "1/s", Description: "no-ops a second"},
		{Name: "hop_us", Goal: report.NoGoal, Unit: "µs", Description: "processor time of the whole machine a bare hop"},
		{Name: "hold_us", Goal: report.NoGoal, Unit: "µs", Description: "processor time of the whole machine a hold"},
		{Name: "rows_us", Goal: report.NoGoal, Unit: "µs", Description: "the same a hold by rows in Postgres"},
		{Name: "noop_us", Goal: report.NoGoal, Unit: "µs", Description: "the same a no-op"},
		{Name: "p99_ratio", Goal: report.NoGoal, Description: "p99 of a hold over p99 of a no-op, at half of the most holds"},
		{Name: "refused_p99_ratio", Goal: 1, AtMost: true, Description: "p99 of a refused hold over p99 of an accepted one, at half"},
		{Name: "noop_p99_ms", Goal: report.NoGoal, Unit: "ms", Description: "p99 of a no-op at that rate"},
		{Name: "saga_per_s", Goal: 600, Unit: "1/s", Description: "confirmed and paid bookings a second"},
		{Name: "overload_told", Goal: 1, Description: "share of the others at overload that were told 429 or 503 and when to come again"},
		{Name: "sse_last_ms", Goal: report.NoGoal, Unit: "ms", Description: "until the last watcher saw a change"},
		{Name: "sse_bytes", Goal: report.NoGoal, Unit: "B", Description: "a change on the wire, a watcher"},
		{Name: "sse_cpu_us", Goal: 40, AtMost: true, Unit: "µs", Description: "processor time of a change, a watcher: gateway and replica"},
		{Name: "generator_us", Goal: report.NoGoal, Unit: "µs", Description: "processor time of the generator a hold"},
	}
}

func (b *bench) record(name string, record ...float64) {
	for i := range b.figures {
		if b.figures[i].Name == name {
			b.figures[i].Values = append(b.figures[i].Values, record...)
			return
		}
	}
	panic("no figure " + name)
}

// perSecond returns the rates of a kind in a part, one per round.
func (b *bench) perSecond(part, kind string) []float64 {
	return b.collect(part, kind, func(s *report.Slice) float64 { return s.PerSecond })
}

func (b *bench) collect(part, kind string, value func(*report.Slice) float64) []float64 {
	var values []float64
	for i := range b.slices {
		if s := &b.slices[i]; s.Part == part && s.Kind == kind {
			values = append(values, value(s))
		}
	}
	return values
}

func (b *bench) median(part, kind string) float64 {
	_, median, _ := report.Spread(b.perSecond(part, kind))
	return median
}

// ratios sets a figure to the ratio of two kinds' rates, round by round.
func (b *bench) ratios(name, kind, over string) {
	b.record(name, quotients(b.perSecond("compare", kind), b.perSecond("compare", over))...)
}

// quotients divides values pair by pair. It omits incomplete or undefined
// pairs.
func quotients(values, over []float64) []float64 {
	var out []float64
	for i := range min(len(values), len(over)) {
		if over[i] > 0 {
			out = append(out, values[i]/over[i])
		}
	}
	return out
}

// get measures anonymous GET requests.
func (b *bench) get(ctx context.Context, kind string, round int, request func(buf []byte, i int) []byte) (report.Slice, error) {
	return b.slice(ctx, "compare", kind, round, 0, func() (openloop.Result, openloop.Summary, error) {
		length := shortSlice
		if kind != kindBrowse {
			length = time.Second
		}
		run := saturate(length)
		run.Request = request
		result := b.target.Do(ctx, run)
		return result, openloop.Summarize(result, okOrNotModified), nil
	})
}

// etag returns the ETag of a resource.
func (b *bench) etag(ctx context.Context, path string) (string, error) {
	resp, err := b.organizer.public.Do(ctx, client.Request{Method: "GET", Path: path})
	if err != nil {
		return "", err
	}
	if resp.Status != 200 || resp.Header.Get("ETag") == "" {
		return "", fmt.Errorf("GET %s: status %d, ETag %q", path, resp.Status, resp.Header.Get("ETag"))
	}
	return resp.Header.Get("ETag"), nil
}
