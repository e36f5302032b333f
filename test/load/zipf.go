package main

import (
	"math"
	"math/rand/v2"
)

// zipfExponent is the skew of demand over blocks: the hottest of 32 gets about
// a quarter of the first requests.
const zipfExponent = 1.1

// pair is two neighbouring seats: index and index+1 of a block.
type pair struct{ block, index int }

// demand returns the order in which the pairs of a hall are requested: the next
// block is drawn by Zipf's law over the blocks that still have pairs, because
// buyers see on the map which are sold out; within a block, pairs are taken
// from the front. The rank of each block is also random. The same seed gives
// the same order.
func demand(blockSeats []int, seed uint64) []pair {
	rng := rand.New(rand.NewPCG(seed, 0))
	blocks := len(blockSeats)
	total, left := 0, make([]int, blocks)
	for b, seats := range blockSeats {
		left[b] = seats / 2
		total += left[b]
	}
	rank := rng.Perm(blocks) // rank[r] is the block with rank r
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

// draw returns the rank at which the running sum of the live weights exceeds
// point, or the last live rank if rounding prevents that.
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
