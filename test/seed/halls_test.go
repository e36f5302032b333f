package main

import (
	"testing"

	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestHallsAreOfTheirSize(t *testing.T) {
	for name, tt := range map[string]struct {
		venue       client.NewVenue
		least, most int
	}{
		"theatre": {theatre(), 700, 1500}, "club": {club(), 228, 228}, "arena": {arena(), 49_000, 51_000},
	} {
		if n := capacity(tt.venue); n < tt.least || n > tt.most {
			t.Errorf("the %s has %d seats, want %d to %d", name, n, tt.least, tt.most)
		}
	}
}
