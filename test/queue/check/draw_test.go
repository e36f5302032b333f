package check

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// The vectors come from a second implementation of the contract's text, in
// Python.
func TestRankFollowsTheContract(t *testing.T) {
	ascending := make([]byte, 32)
	for i := range ascending {
		ascending[i] = byte(i)
	}
	seed := hex.EncodeToString(ascending)
	for _, tt := range []struct {
		lane           string
		drawn          int
		numbers, ranks []int
	}{
		{"general", 10, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []int{6, 2, 4, 8, 10, 7, 1, 5, 9, 3}},
		{"priority", 10, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []int{7, 2, 8, 3, 5, 9, 4, 1, 6, 10}},
		{"general", 1000, []int{1, 2, 500, 1000, 1001}, []int{121, 945, 988, 493, 1001}},
	} {
		for i, number := range tt.numbers {
			if got, err := Rank(seed, tt.lane, tt.drawn, number); err != nil || got != tt.ranks[i] {
				t.Errorf("number %d of %d in %s: got rank %d, %v; want %d", number, tt.drawn, tt.lane, got, err, tt.ranks[i])
			}
		}
	}
}

func TestDrawIsAPermutation(t *testing.T) {
	for _, n := range []int{1, 2, 255, 256, 257, 3000} {
		ranks := slices.Sorted(slices.Values(drawOf(t, n)))
		for i, rank := range ranks {
			if rank != i+1 {
				t.Fatalf("of %d people nobody has the rank %d", n, i+1)
			}
		}
	}
}

func drawOf(t *testing.T, n int) []int {
	t.Helper()
	q := client.Queue{Seed: seed}
	q.Lanes.General.Drawn = n
	ranks, err := Draw(q)
	if err != nil {
		t.Fatal(err)
	}
	return ranks
}

func TestFitAcceptsAFairDraw(t *testing.T) {
	if f := FitOf(drawOf(t, 14_000)); !f.Fair() {
		t.Errorf("%+v", f)
	}
}

func TestFitFindsAnUnfairDraw(t *testing.T) {
	const n = 14_000
	tests := map[string]func(ranks []int){
		"first come first served": func(ranks []int) { slices.Sort(ranks) },
		// One in twenty of the first tenth changes places with somebody in front.
		"early birds are preferred a little": func(ranks []int) {
			at := make([]int, n+1)
			for i, rank := range ranks {
				at[rank] = i
			}
			for i := 0; i < n/10; i += 5 {
				other := at[1+i]
				ranks[i], ranks[other] = ranks[other], ranks[i]
				at[ranks[i]], at[ranks[other]] = i, other
			}
		},
		// The correlation stays zero.
		"the middle is preferred": func(ranks []int) {
			dice := rand.New(rand.NewPCG(1, 2))
			for i := range ranks {
				ranks[i] = i + 1
			}
			for i := range ranks {
				if j := n - 1 - i; dice.IntN(2) == 0 {
					ranks[i], ranks[j] = ranks[j], ranks[i]
				}
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			ranks := drawOf(t, n)
			change(ranks)
			if f := FitOf(ranks); f.Fair() {
				t.Errorf("it counts as fair: %+v", f)
			}
		})
	}
}
