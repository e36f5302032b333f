package traffic

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

const (
	viewEvery = 150 * time.Millisecond
	// viewTimeout is how long a viewer waits at one gateway before the next.
	viewTimeout = 6 * time.Second
)

// watch looks at events all the time, as anybody may who is not logged in. A
// gateway that does not answer is left for the next one; a view fails when none
// has answered with the event.
func (w *World) watch(ctx context.Context) {
	viewer := w.person("viewer", 2)
	for n := 0; ctx.Err() == nil; n++ {
		pause(ctx, viewEvery)
		sales := w.Sales()
		sale := sales[max(0, len(sales)-1-n%(onSale+1))]
		view := View{Start: w.recorder.Now()}
		var reasons []string
		for i := range w.clients {
			gateway := (n + i) % len(w.clients)
			answer := viewer.call(ctx, gateway, viewTimeout, history.Call{Kind: history.View, EventID: sale.ID}, sendView(sale.ID))
			if answer.Outcome == history.Done {
				view.OK = true
				break
			}
			reasons = append(reasons, answer.Error)
		}
		view.End, view.Reason = w.recorder.Now(), strings.Join(reasons, "; ")
		w.mu.Lock()
		w.views = append(w.views, view)
		w.mu.Unlock()
	}
}

func sendView(event string) request {
	return func(ctx context.Context, c *client.Client, _ *history.Call) error {
		seen, err := c.Event(ctx, event)
		if err == nil && seen.ID != event {
			return fmt.Errorf("asked for event %s, was shown %s", event, seen.ID)
		}
		return err
	}
}
