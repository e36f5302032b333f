package main

import (
	"math"
	"math/rand/v2"
)

// zipfExponent is how unequally blocks are wanted: the hottest of 32 gets
// about a quarter of the first requests.
const zipfExponent = 1.1

// pair is two neighbouring seats: index and index+1 of a block.
type pair struct{ block, index int }

// demand is the order in which the pairs of a hall are asked for: which block
// comes next is drawn by Zipf's law over the blocks that still have pairs, as
// buyers see on the map what is gone; within a block pairs go from the front.
// Which block has which rank is drawn too. The same seed gives the same order.
func demand(blockSeats []int, seed uint64) []pair {
	rng := rand.New(rand.NewPCG(seed, 0))
	blocks := len(blockSeats)
	total, left := 0, make([]int, blocks)
	for b, seats := range blockSeats {
		left[b] = seats / 2
		total += left[b]
	}
	rank := rng.Perm(blocks) // rank[r] is the block that comes r-th
	weights := zipf(blocks, zipfExponent)
	sum := 0.0
	for r, b := range rank {
		if left[b] > 0 {
			sum += weights[r]
		}
	}
	order := make([]pair, 0, total)
	for len(order) < total {
		r := draw(weights, sum*rng.Float64(), func(r int) bool { return left[rank[r]] > 0 })
		b := rank[r]
		order = append(order, pair{block: b + 1, index: 2 * (blockSeats[b]/2 - left[b])})
		if left[b]--; left[b] == 0 {
			sum -= weights[r]
		}
	}
	return order
}

// zipf returns the weights 1/rank^exponent of n ranks, first to last.
func zipf(n int, exponent float64) []float64 {
	w := make([]float64, n)
	for r := range w {
		w[r] = math.Pow(float64(r+1), -exponent)
	}
	return w
}

// draw returns the rank at which the running sum of the live weights passes
// point, and the last live one when rounding lets it pass none.
func draw(weights []float64, point float64, live func(int) bool) int {
	last := -1
	for r, w := range weights {
		if !live(r) {
			continue
		}
		last = r
		if point -= w; point < 0 {
			break
		}
	}
	return last
}
