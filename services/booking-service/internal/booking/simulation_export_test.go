package booking

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Memory shows what a replica remembers of an event that decides what it does
// next: its picture of the seats, and the changes that wait for a round.
func (s *Service) Memory(e *Event, seat func(Seat) string, waiting func(context.Context, Change) string) string {
	var text strings.Builder
	for n := range e.BlockCount() {
		sale, b := s.inventory.block(BlockID{e.ID(), n + 1})
		if b == nil {
			continue
		}
		fmt.Fprintf(&text, "v%d", s.inventory.version(b.id))
		for i := range e.InitialSeats(n + 1) {
			text.WriteString(" " + seat(sale.seat(SeatID{n + 1, i})))
		}
		b.mu.Lock()
		fmt.Fprintf(&text, " %t\n", b.refreshing)
		b.mu.Unlock()
	}
	s.committer.mu.Lock()
	defer s.committer.mu.Unlock()
	for _, id := range slices.SortedFunc(maps.Keys(s.committer.queues), func(a, b BlockID) int { return a.Block - b.Block }) {
		fmt.Fprintf(&text, "block %d:", id.Block)
		for _, e := range s.committer.queues[id].waiting {
			text.WriteString(" " + waiting(e.ctx, e.change))
		}
		text.WriteString("\n")
	}
	return text.String()
}
