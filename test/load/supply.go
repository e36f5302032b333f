package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

// wish is one hold to be requested.
type wish struct {
	event string
	pair
	buyer int
}

// supply lists holds to request, in order, each once: their seats are free when
// they are requested.
type supply struct {
	wishes []wish
	used   int
}

// supplyOf returns all pairs of an event in the order of demand, each for a
// different buyer.
func supplyOf(e *event, seed uint64) *supply {
	order := demand(e.blockSeats, seed)
	s := &supply{wishes: make([]wish, len(order))}
	for i, p := range order {
		s.wishes[i] = wish{e.id, p, i}
	}
	return s
}

// deal divides the supply: of every sum(counts) consecutive wishes, each part
// gets its count.
func (s *supply) deal(counts ...int) []*supply {
	total := 0
	hands := make([]*supply, len(counts))
	for h, n := range counts {
		hands[h] = &supply{}
		total += n
	}
	for i, w := range s.wishes {
		at := i % total
		for h, n := range counts {
			if at < n {
				hands[h].wishes = append(hands[h].wishes, w)
				break
			}
			at -= n
		}
	}
	return hands
}

func (s *supply) left() int { return len(s.wishes) - s.used }

// taken returns the wishes already requested.
func (s *supply) taken() []wish { return s.wishes[:s.used] }

func (s *supply) append(more *supply) { s.wishes = append(s.wishes, more.wishes...) }

// stock opens as many events with the given number of seats as are needed for
// the number of wishes.
func (b *bench) stock(ctx context.Context, seats, wishes int) (*supply, error) {
	s := &supply{}
	for s.left() < wishes {
		e, err := b.organizer.open(ctx, seats, holdSeconds)
		if err != nil {
			return nil, err
		}
		b.seed++
		s.append(supplyOf(e, b.seed))
	}
	return s, nil
}

// hold requests new wishes at path.
func (b *bench) hold(ctx context.Context, s *supply, path string, run openloop.Run) (openloop.Result, openloop.Summary) {
	wishes := s.wishes[s.used:]
	run.Count = min(run.Count, len(wishes))
	run.Request = func(buf []byte, i int) []byte {
		return b.wire.hold(buf, path, &wishes[i])
	}
	result := b.target.Do(ctx, run)
	s.used += len(result.Samples)
	return result, openloop.Summarize(result, created)
}

// ask sends holds of wishes at path repeatedly, for buyers other than those who
// have the seats.
func (b *bench) ask(ctx context.Context, wishes []wish, path string, run openloop.Run, wanted func(status int) bool,
) (openloop.Result, openloop.Summary) {
	run.Request = func(buf []byte, i int) []byte {
		w := wishes[(i*31)%len(wishes)]
		w.buyer += 7919
		return b.wire.hold(buf, path, &w)
	}
	result := b.target.Do(ctx, run)
	return result, openloop.Summarize(result, wanted)
}

func created(status int) bool  { return status == 201 }
func conflict(status int) bool { return status == 409 }
func ok(status int) bool       { return status == 200 }
func seen(status int) bool     { return status == 200 || status == 304 }
