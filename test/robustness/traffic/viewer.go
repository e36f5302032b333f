package traffic

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

const (
	viewEvery = 150 * time.Millisecond
	// viewTimeout is how long a viewer waits for one gateway before trying the
	// next.
	viewTimeout = 6 * time.Second
)

// watch views events continuously, without logging in. If a gateway does not
// answer, it tries the next one; a view fails if no gateway returned the event.
func (sim *Simulation) watch(ctx context.Context) {
	viewer := sim.person("viewer", 2)
	for n := 0; ctx.Err() == nil; n++ {
		clock.Sleep(ctx, viewEvery)
		sales := sim.Sales()
		sale := sales[max(0, len(sales)-1-n%(onSale+1))]
		view := View{Start: sim.recorder.Now()}
		var reasons []string
		for i := range sim.clients {
			gateway := (n + i) % len(sim.clients)
			answer := viewer.call(ctx, gateway, viewTimeout, history.Call{Kind: history.View, EventID: sale.ID}, sendView(sale.ID))
			if answer.Outcome == history.Done {
				view.OK = true
				break
			}
			reasons = append(reasons, answer.Error)
		}
		view.End, view.Reason = sim.recorder.Now(), strings.Join(reasons, "; ")
		sim.mu.Lock()
		sim.views = append(sim.views, view)
		sim.mu.Unlock()
	}
}

func sendView(event string) request {
	return func(ctx context.Context, c *client.Client, _ *history.Call) error {
		seen, err := c.Event(ctx, event)
		if err == nil && seen.ID != event {
			return fmt.Errorf("requested event %s, got %s", event, seen.ID)
		}
		return err
	}
}
