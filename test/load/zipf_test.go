package main

import (
	"slices"
	"testing"
)

func TestDemandAsksForEveryPairOnce(t *testing.T) {
	blocks := []int{300, 300, 200, 3}
	order := demand(blocks, 7)
	if want := 150 + 150 + 100 + 1; len(order) != want {
		t.Fatalf("%d pairs, want %d", len(order), want)
	}
	seen := map[pair]bool{}
	for _, p := range order {
		if seen[p] {
			t.Fatalf("%v comes twice", p)
		}
		seen[p] = true
		if p.block < 1 || p.block > len(blocks) || p.index%2 != 0 || p.index+1 >= blocks[p.block-1] {
			t.Fatalf("%v is not a pair of the hall", p)
		}
	}
	if !slices.Equal(order, demand(blocks, 7)) {
		t.Error("the same seed gives another order")
	}
	if slices.Equal(order, demand(blocks, 8)) {
		t.Error("another seed gives the same order")
	}
}

func TestDemandIsHotInFewBlocks(t *testing.T) {
	blocks := make([]int, 100)
	for i := range blocks {
		blocks[i] = 300
	}
	counts := map[int]int{}
	early := demand(blocks, 1)[:500]
	for _, p := range early {
		counts[p.block]++
	}
	perBlock := make([]int, 0, len(counts))
	for _, n := range counts {
		perBlock = append(perBlock, n)
	}
	slices.Sort(perBlock)
	// Of 100 ranks, 1/rank^1.1 gives the first 23.7 % of the draws.
	if hottest := perBlock[len(perBlock)-1]; hottest < 90 || hottest > 150 {
		t.Errorf("the hottest block gets %d of 500 requests, want about 118", hottest)
	}
}

func TestZipfWeights(t *testing.T) {
	w := zipf(4, 1)
	if !slices.EqualFunc(w, []float64{1, .5, 1. / 3, .25}, func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }) {
		t.Errorf("weights %v", w)
	}
}

func TestDrawSkipsExhaustedItems(t *testing.T) {
	weights := []float64{4, 2, 1}
	live := func(r int) bool { return r != 0 }
	for _, c := range []struct {
		point float64
		want  int
	}{{0, 1}, {1.99, 1}, {2, 2}, {2.99, 2}, {3.0001, 2}} {
		if got := draw(weights, c.point, live); got != c.want {
			t.Errorf("draw at %v is rank %d, want %d", c.point, got, c.want)
		}
	}
}
