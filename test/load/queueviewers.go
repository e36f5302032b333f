package main

import (
	"sync"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue/check"
)

// viewers are the people who follow the queue over one stream.
type viewers struct {
	mu      sync.Mutex
	queue   client.Queue
	waiting map[*shopper]*wait
}

// wait is somebody's place, and is told the outcome: whether it is their turn.
type wait struct {
	lane         string
	number, rank int
	turn         chan bool
}

// frame tells everybody whose turn it is, and all when nothing is left.
func (v *viewers) frame(q client.Queue) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.queue = q
	for p, w := range v.waiting {
		if v.tell(w) {
			delete(v.waiting, p)
		}
	}
}

func (v *viewers) tell(w *wait) bool {
	q := &v.queue
	if w.rank == 0 && q.Seed != "" {
		w.rank, _ = check.Rank(q.Seed, w.lane, check.Lane(q, w.lane).Drawn, w.number)
	}
	switch {
	case q.State == "sold_out":
		w.turn <- false
	case w.rank > 0 && w.rank <= check.Lane(q, w.lane).Serving:
		w.turn <- true
	default:
		return false
	}
	return true
}

// enter adds a person and returns the channel that tells the outcome.
func (v *viewers) enter(p *shopper, place client.Place) <-chan bool {
	w := &wait{lane: place.Lane, number: place.Number, rank: place.Rank, turn: make(chan bool, 1)}
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.tell(w) {
		v.waiting[p] = w
	}
	return w.turn
}

func (v *viewers) leave(p *shopper) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.waiting, p)
}
