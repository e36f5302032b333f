package check

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Fit compares the ranks of a draw with the order of arrival. Each P is the
// probability of a statistic at least as extreme if the draw is fair.
type Fit struct {
	People int
	// Spearman is the rank correlation: 0 if the order of arrival does not
	// matter.
	Spearman, SpearmanP float64
	// ChiSquare is over a table of deciles of arrival and rank.
	ChiSquare, ChiSquareP float64
}

const (
	deciles = 10
	// unlikely is the probability below which a draw counts as unfair.
	unlikely = .001
)

// Fair reports whether the draw can be fair.
func (f Fit) Fair() bool { return f.SpearmanP >= unlikely && f.ChiSquareP >= unlikely }

// FitOf tests a draw. Ranks are 1 to n in order of arrival, with n at least
// 1,000 so that the tests hold.
func FitOf(ranks []int) Fit {
	n := len(ranks)
	arrival, rank := make([]float64, n), make([]float64, n)
	var table [deciles][deciles]float64
	for i, r := range ranks {
		arrival[i], rank[i] = float64(i), float64(r)
		table[i*deciles/n][(r-1)*deciles/n]++
	}
	f := Fit{People: n, Spearman: stat.Correlation(arrival, rank, nil)}
	// Under independence the correlation of n ranks has the variance 1/(n-1).
	f.SpearmanP = 2 * distuv.UnitNormal.Survival(math.Abs(f.Spearman)*math.Sqrt(float64(n-1)))
	expected := float64(n) / (deciles * deciles)
	for _, row := range table {
		for _, count := range row {
			f.ChiSquare += (count - expected) * (count - expected) / expected
		}
	}
	f.ChiSquareP = distuv.ChiSquared{K: (deciles - 1) * (deciles - 1)}.Survival(f.ChiSquare)
	return f
}
