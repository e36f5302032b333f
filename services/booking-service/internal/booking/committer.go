package booking

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var batchSize = promauto.NewHistogram(prometheus.HistogramOpts{
	Name: "commit_batch_size", Help: "Operations committed in one round of a block.",
	Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128},
})

var rounds = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "commit_rounds_total", Help: "Rounds sent to Cassandra: applied, refused (somebody else was faster), unknown (sent again) or failed.",
}, []string{"outcome"})

var seatChanges = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "seat_changes_total", Help: "Seats that this replica's rounds changed, by the state they came to.",
}, []string{"state"})

func roundOutcome(applied bool, err error) string {
	switch {
	case errors.Is(err, ErrUnknown):
		return "unknown"
	case err != nil:
		return "failed"
	case applied:
		return "applied"
	}
	return "refused"
}

const (
	// maxRound bounds a round's operations: past some hundred rows a batch
	// costs more time than it saves.
	maxRound = 64
	// roundTimeout bounds the answer to one round; after it the round is sent again.
	roundTimeout = 3 * time.Second
)

// ErrNoBlock says that the block was never made, so nothing of it can be changed.
var ErrNoBlock = errors.New("the block does not exist")

// Conflict says why a change was not made: what stands in the rows it named.
// The zero value means that it was made.
type Conflict struct {
	// Owners of the seats that were not owned as the change expected.
	Owners map[int]uuid.UUID
	// Missing seats have no row.
	Missing []int
	// Revision of the booking's row, when it is not the expected one.
	Revision      int
	WrongRevision bool
}

// Yes tells whether the change was refused.
func (r Conflict) Yes() bool { return len(r.Owners) > 0 || len(r.Missing) > 0 || r.WrongRevision }

// Committer gathers the changes of a block that arrive while its previous
// round is under way and commits them as one: group commit, as databases do
// with their log (DeWitt et al., "Implementation Techniques for Main Memory
// Database Systems", 1984), here over Paxos.
type Committer struct {
	store     Store
	inventory *Inventory
	feed      Feed
	replica   string

	turns chan struct{}

	mu     sync.Mutex
	queues map[BlockID]*queue
}

type entry struct {
	change  Change
	done    chan struct{}
	refused Conflict
	err     error
	// sent is set once a round with the change may have reached the store
	// without an answer.
	sent bool
	// lazy entries have nobody who waits.
	lazy bool
	ctx  context.Context
}

// NewCommitter returns a committer that tells inventory and feed what it has
// committed.
func NewCommitter(store Store, inventory *Inventory, feed Feed, replica string) *Committer {
	return &Committer{
		store: store, inventory: inventory, feed: feed, replica: replica,
		turns: make(chan struct{}, abreast), queues: map[BlockID]*queue{},
	}
}

// Commit makes a change, or says what stands against it. An error that wraps
// ErrUnknown leaves open whether the change was or will be made; after any
// other error it was not and will not be.
func (c *Committer) Commit(ctx context.Context, id BlockID, change Change) (Conflict, error) {
	e := &entry{change: change, done: make(chan struct{}), ctx: ctx}
	c.mu.Lock()
	q := c.queue(id)
	q.waiting = append(q.waiting, e)
	if !q.running {
		q.running = true
		go c.run(q)
	}
	c.mu.Unlock()
	select {
	case <-e.done:
		return e.refused, e.err
	case <-ctx.Done():
		// The round may be under way; nobody waits for its answer.
		return Conflict{}, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	}
}

// commit answers every entry of the round.
func (c *Committer) commit(id BlockID, round []*entry) {
	version := c.inventory.version(id)
	indexed := c.index(round)
	for pause := 2 * time.Millisecond; len(round) > 0; pause = min(2*pause, 200*time.Millisecond) {
		changes := make([]Change, len(round))
		for i, e := range round {
			changes[i] = e.change
		}
		ctx, cancel := context.WithTimeout(context.Background(), roundTimeout)
		applied, current, err := c.store.CommitRound(ctx, id, version, changes)
		cancel()
		rounds.WithLabelValues(roundOutcome(applied, err)).Inc()
		switch {
		case err == nil && applied:
			c.applied(id, version+1, changes)
			indexErr := <-indexed
			for _, e := range round {
				if e.change.Index != nil && indexErr != nil {
					// Made, but not findable: its owner must ask again.
					e.answer(Conflict{}, indexErr)
					continue
				}
				e.answer(Conflict{}, nil)
			}
			return
		case err == nil:
			left := sift(round, current)
			if refusedForNothing := current.Version == version && len(left) == len(round); refusedForNothing {
				err = fmt.Errorf("%w: block %d of event %s", ErrNoBlock, id.Block, id.Event)
				for _, e := range left {
					e.answer(Conflict{}, err)
				}
				return
			}
			round, version = left, current.Version
			c.catchUp(id, version)
			if len(round) > 0 {
				// Another replica commits to this block; at another moment it is faster.
				time.Sleep(rand.N(pause))
			}
		case errors.Is(err, ErrUnknown):
			// Sent again it is made now, or its refusal tells what stands; in both cases
			// the version has moved on, and a late arrival of the first does nothing.
			for _, e := range round {
				e.sent = true
			}
			round = dropEnded(round)
			time.Sleep(pause)
		default:
			for _, e := range round {
				if e.sent {
					e.answer(Conflict{}, fmt.Errorf("%w: %w", ErrUnknown, err))
				} else {
					e.answer(Conflict{}, err)
				}
			}
			return
		}
	}
}

// index writes the round's index entries while the round is under way.
func (c *Committer) index(round []*entry) <-chan error {
	var entries []IndexEntry
	for _, e := range round {
		if e.change.Index != nil {
			entries = append(entries, *e.change.Index)
		}
	}
	done := make(chan error, 1)
	if len(entries) == 0 {
		done <- nil
		return done
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), roundTimeout)
		defer cancel()
		err := c.store.IndexBookings(ctx, entries)
		if err != nil {
			err = fmt.Errorf("%w: index: %w", ErrUnknown, err)
		}
		done <- err
	}()
	return done
}

// sift answers the entries that the current rows decide and returns the rest.
func sift(round []*entry, current Current) []*entry {
	var again []*entry
	for _, e := range round {
		refused, made := e.change.against(current)
		switch {
		case made:
			e.answer(Conflict{}, nil)
		case refused.Yes():
			e.answer(refused, nil)
		default:
			again = append(again, e)
		}
	}
	return again
}

// against compares a change with the rows as they stand: refused; or made
// already, which only a change of seats alone can tell (of a booking's row the
// caller judges, who can read it); or neither, and it may be tried again.
func (c *Change) against(current Current) (r Conflict, made bool) {
	if c.Booking != nil {
		if revision := current.Revisions[c.Booking.To.ID]; revision != c.Booking.From {
			return Conflict{WrongRevision: true, Revision: revision}, false
		}
	}
	atGoal := 0
	for _, s := range c.Seats {
		owner, exists := current.Owners[s.Index]
		switch {
		case !exists:
			r.Missing = append(r.Missing, s.Index)
		case owner != s.From:
			if r.Owners == nil {
				r.Owners = map[int]uuid.UUID{}
			}
			r.Owners[s.Index] = owner
			if owner == s.To.Owner {
				atGoal++
			}
		}
	}
	if c.Booking == nil && len(c.Seats) > 0 && atGoal == len(c.Seats) {
		return Conflict{}, true
	}
	return r, false
}

// dropEnded answers the entries that nobody waits for any more and returns the rest.
func dropEnded(round []*entry) []*entry {
	var live []*entry
	for _, e := range round {
		switch {
		case e.ctx.Err() != nil:
			e.answer(Conflict{}, fmt.Errorf("%w: %w", ErrUnknown, e.ctx.Err()))
		case e.lazy:
			e.answer(Conflict{}, ErrUnknown)
		default:
			live = append(live, e)
		}
	}
	return live
}

func (c *Committer) applied(id BlockID, version int64, changes []Change) {
	d := Delta{BlockID: id, Version: version, Origin: c.replica}
	for _, ch := range changes {
		for _, s := range ch.Seats {
			d.Seats = append(d.Seats, SeatDelta{s.Index, s.To})
			seatChanges.WithLabelValues(s.To.State.String()).Inc()
		}
	}
	c.inventory.Apply(d)
	c.feed.PublishDelta(d)
}

// catchUp corrects this replica's picture when others have committed.
func (c *Committer) catchUp(id BlockID, version int64) {
	sale, b := c.inventory.block(id)
	if b == nil {
		return
	}
	b.mu.Lock()
	behind := b.version < version && !b.refreshing
	if behind {
		b.refreshing = true
	}
	b.mu.Unlock()
	if behind {
		go c.inventory.catchUp(sale, b)
	}
}

func (e *entry) answer(refused Conflict, err error) {
	e.refused, e.err = refused, err
	close(e.done)
}
