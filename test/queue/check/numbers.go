package check

import (
	"cmp"
	"slices"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// unique checks that no two accounts have the same number or rank of a lane.
func (c *checker) unique() Verdict {
	v := Verdict{Title: "Numbers and ranks are given once"}
	numbers, ranks := map[key]string{}, map[key]string{}
	claim := func(taken map[key]string, what string, k key, who string) {
		if other, found := taken[k]; found && other != who {
			v.violated("%s and %s have the same %s: %s", other, who, what, k)
		}
		taken[k] = who
	}
	c.places(func(_ *person, p *place) {
		v.Checked++
		claim(numbers, "number", p.key, p.who)
		if rank := p.rank(); rank > 0 {
			claim(ranks, "rank", key{p.lane, rank}, p.who)
		}
	})
	return v
}

// served checks that numbers are given in order of arrival: if a place was
// seen before another was asked for, it has the lower number.
func (c *checker) served() Verdict {
	v := Verdict{Title: "Numbers follow the order of arrival"}
	lanes := map[string][]*place{}
	c.places(func(_ *person, p *place) { lanes[p.lane] = append(lanes[p.lane], p) })
	for _, places := range lanes {
		slices.SortFunc(places, func(a, b *place) int { return cmp.Compare(a.number, b.number) })
		v.Checked += len(places)
		// The place with the earliest end among those with higher numbers.
		var first *place
		for _, p := range slices.Backward(places) {
			if first != nil && first.seen() < p.begin {
				v.violated("%s got %s before %s asked and got %s", first.who, first.key, p.who, p.key)
			}
			if first == nil || p.seen() < first.seen() {
				first = p
			}
		}
	}
	return v
}

// draw checks that the published seed gives everybody's rank.
func (c *checker) draw() Verdict {
	v := Verdict{Title: "Ranks are those of the draw"}
	q, found := c.drawn()
	if !found {
		v.Undecided++
		return v
	}
	c.places(func(_ *person, p *place) {
		rank := p.rank()
		if rank == 0 {
			return
		}
		v.Checked++
		want, err := Rank(q.Seed, p.lane, Lane(&q, p.lane).Drawn, p.number)
		if err != nil || want != rank {
			v.violated("%s has the rank %d at %s, want %d (%v)", p.who, rank, p.key, want, err)
		}
	})
	return v
}

// drawn returns the last frame if it is one after the draw.
func (c *checker) drawn() (client.Queue, bool) {
	if len(c.frames) == 0 {
		return client.Queue{}, false
	}
	last := c.frames[len(c.frames)-1].Queue
	return last, last.Seed != ""
}

// Draw returns the ranks of the pre-queue's general lane, in order of arrival,
// according to the last frame.
func Draw(q client.Queue) ([]int, error) {
	ranks := make([]int, q.Lanes.General.Drawn)
	for i := range ranks {
		var err error
		if ranks[i], err = Rank(q.Seed, "general", len(ranks), i+1); err != nil {
			return nil, err
		}
	}
	return ranks, nil
}
