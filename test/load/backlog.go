package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

// holdRequest is one hold to be requested.
type holdRequest struct {
	event string
	pair
	buyer int
}

// backlog lists holds to request, in order, each once: their seats are free when
// they are requested.
type backlog struct {
	requests []holdRequest
	used     int
}

// backlogOf returns all pairs of an event in the order of demand, each for a
// different buyer.
func backlogOf(e *event, seed uint64) *backlog {
	order := demand(e.blockSeats, seed)
	s := &backlog{requests: make([]holdRequest, len(order))}
	for i, p := range order {
		s.requests[i] = holdRequest{e.id, p, i}
	}
	return s
}

// split divides the backlog: of every sum(counts) consecutive requests, each part
// gets its count.
func (s *backlog) split(counts ...int) []*backlog {
	total := 0
	parts := make([]*backlog, len(counts))
	for h, n := range counts {
		parts[h] = &backlog{}
		total += n
	}
	for i, w := range s.requests {
		at := i % total
		for h, n := range counts {
			if at < n {
				parts[h].requests = append(parts[h].requests, w)
				break
			}
			at -= n
		}
	}
	return parts
}

func (s *backlog) remaining() int { return len(s.requests) - s.used }

// sent returns the requests already sent.
func (s *backlog) sent() []holdRequest { return s.requests[:s.used] }

func (s *backlog) append(more *backlog) { s.requests = append(s.requests, more.requests...) }

// newBacklog opens as many events with the given number of seats as are needed for
// the number of holds.
func (b *bench) newBacklog(ctx context.Context, seats, holds int) (*backlog, error) {
	s := &backlog{}
	for s.remaining() < holds {
		e, err := b.organizer.open(ctx, seats, holdSeconds)
		if err != nil {
			return nil, err
		}
		b.seed++
		s.append(backlogOf(e, b.seed))
	}
	return s, nil
}

// hold sends new requests to path.
func (b *bench) hold(ctx context.Context, s *backlog, path string, run openloop.Run) (openloop.Result, openloop.Summary) {
	requests := s.requests[s.used:]
	run.Count = min(run.Count, len(requests))
	run.Request = func(buf []byte, i int) []byte {
		return b.wire.hold(buf, path, &requests[i])
	}
	result := b.target.Do(ctx, run)
	s.used += len(result.Samples)
	return result, openloop.Summarize(result, created)
}

// repeatHolds repeats requests at path for buyers other than those who have the
// seats.
func (b *bench) repeatHolds(ctx context.Context, requests []holdRequest, path string, run openloop.Run, accepted func(status int) bool,
) (openloop.Result, openloop.Summary) {
	run.Request = func(buf []byte, i int) []byte {
		w := requests[(i*31)%len(requests)]
		w.buyer += 7919
		return b.wire.hold(buf, path, &w)
	}
	result := b.target.Do(ctx, run)
	return result, openloop.Summarize(result, accepted)
}

func created(status int) bool         { return status == 201 }
func conflict(status int) bool        { return status == 409 }
func ok(status int) bool              { return status == 200 }
func okOrNotModified(status int) bool { return status == 200 || status == 304 }
