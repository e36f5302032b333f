//go:build !bench

package booking

func roundLimit() int { return maxRound }
