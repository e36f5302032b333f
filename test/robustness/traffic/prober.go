package traffic

import (
	"context"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

const (
	probeEvery = 200 * time.Millisecond
	// probeTimeout is short: the next probe may find the system healthy again.
	probeTimeout = 4 * time.Second
	// probeAgainAfter is when a probe may request the same seat again.
	probeAgainAfter = 3 * HoldSeconds * time.Second
)

// prober continuously holds free seats through one gateway: when a probe fails,
// the system is failing.
type prober struct {
	*person
}

func (p *prober) run(ctx context.Context) {
	sim := p.sim
	sim.mu.Lock()
	sale := sim.all[0]
	sim.mu.Unlock()
	asked := map[string]time.Time{}
	for n := 0; ctx.Err() == nil; n++ {
		clock.Sleep(ctx, probeEvery)
		// Cycle through blocks and their seats, with different seats for each
		// gateway.
		block := n % len(sale.Seats)
		seats := sale.Seats[block]
		share := len(seats) / len(sim.clients)
		seat := seats[p.pinned*share+(n/len(sale.Seats))%share]
		if time.Since(asked[seat]) < probeAgainAfter {
			continue
		}
		asked[seat] = time.Now()
		selection := client.NewBooking{EventID: sale.ID, SeatIDs: []string{seat}}
		key := newKey()
		call := holdCall(selection, key)
		call.Probe = true
		answer := p.call(ctx, p.pinned, probeTimeout, call, sendHold(selection, key))
		switch {
		case answer.Status == http.StatusUnauthorized:
			_ = p.login(ctx) // without a session the next probe fails
		case answer.Outcome == history.Done:
			p.call(ctx, p.pinned, probeTimeout, cancelCall(answer.Bookings[0]), sendCancel(answer.Bookings[0]))
		}
	}
}
