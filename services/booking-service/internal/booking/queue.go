package booking

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

const (
	// abreast bounds the rounds of this replica that are under way at once. More
	// would be smaller ones: what waits meanwhile fills the next.
	abreast = 12
	// turnTimeout is how long a round waits for others to end: they may be
	// waiting for a node that is gone.
	turnTimeout = 50 * time.Millisecond
	// lazyFor is how long a lazy change waits for a round to ride on.
	lazyFor = time.Second
)

// queue is what waits for rounds of a block. It is dropped when it is empty.
type queue struct {
	id      BlockID
	waiting []*entry
	// lazy changes ride on rounds of others.
	lazy []*entry
	// running tells whether rounds are being made, flushing whether a timer will
	// see to the lazy.
	running, flushing bool
}

// CommitLazily makes a change that nobody waits for, with the next round of the
// block, or a little later by itself. It may be lost.
func (c *Committer) CommitLazily(id BlockID, change Change) {
	e := &entry{change: change, done: make(chan struct{}), ctx: context.Background(), lazy: true}
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queue(id)
	q.lazy = append(q.lazy, e)
	if !q.flushing {
		q.flushing = true
		time.AfterFunc(lazyFor, func() { c.flush(q) })
	}
}

// queue must be called with c.mu held.
func (c *Committer) queue(id BlockID) *queue {
	q := c.queues[id]
	if q == nil {
		q = &queue{id: id}
		c.queues[id] = q
	}
	return q
}

// flush has the lazy changes of a queue wait like others.
func (c *Committer) flush(q *queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q.flushing = false
	q.waiting = append(q.waiting, q.lazy...)
	q.lazy = nil
	switch {
	case q.running:
	case len(q.waiting) > 0:
		q.running = true
		go c.run(q)
	default:
		delete(c.queues, q.id)
	}
}

// next takes the waiting entries that touch different rows, and what lazy ones
// have room. When there are none the queue rests.
func (c *Committer) next(q *queue) []*entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	seats, bookings := map[int]bool{}, map[uuid.UUID]bool{}
	var round []*entry
	take := func(from []*entry) (rest []*entry) {
		for _, e := range from {
			switch {
			case e.ctx.Err() != nil:
				e.answer(Conflict{}, e.ctx.Err())
			case len(round) < roundLimit() && !e.change.overlaps(seats, bookings):
				e.change.mark(seats, bookings)
				round = append(round, e)
			default:
				rest = append(rest, e)
			}
		}
		return rest
	}
	q.waiting = take(q.waiting)
	if len(round) > 0 {
		// A lazy change of a row that is about to move on would be refused, and the
		// round with it.
		q.lazy = slices.DeleteFunc(q.lazy, func(e *entry) bool { return e.change.overlaps(seats, bookings) })
		q.lazy = take(q.lazy)
		return round
	}
	q.running = false
	if len(q.lazy) == 0 && !q.flushing {
		delete(c.queues, q.id)
	}
	return nil
}

func (c *Committer) run(q *queue) {
	for {
		leave := c.turn()
		round := c.next(q)
		if len(round) == 0 {
			leave()
			return
		}
		batchSize.Observe(float64(len(round)))
		c.commit(q.id, round)
		leave()
	}
}

// turn returns when a round may begin.
func (c *Committer) turn() (leave func()) {
	timer := time.NewTimer(turnTimeout)
	defer timer.Stop()
	select {
	case c.turns <- struct{}{}:
		return func() { <-c.turns }
	case <-timer.C:
		return func() {}
	}
}
