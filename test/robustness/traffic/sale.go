package traffic

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

const (
	// onSale is the number of events on sale at a time.
	onSale = 2
	// saleTimeout is how long an organiser retries to put an event on sale.
	saleTimeout = 30 * time.Second

	sections, rows, seatsPerRow = 3, 6, 12
	standingPlaces              = 90
	// Size of a section of the probes' event: one block.
	probeRows, probeSeatsPerRow = 10, 30
)

// rotate replaces old events with new ones, and cancels every other old one
// while buyers are still buying.
func (sim *Simulation) rotate(ctx context.Context) {
	for n := 0; ; n++ {
		clock.Sleep(ctx, sim.cfg.Rotate)
		if ctx.Err() != nil {
			return
		}
		if sim.open(ctx, false) != nil {
			continue // retried in the next rotation
		}
		if n%2 == 0 {
			sim.cancel(ctx, sim.oldest())
			sim.retire()
		} else {
			sim.retire()
		}
	}
}

// open creates an event, publishes it and waits until it is on sale.
func (sim *Simulation) open(ctx context.Context, probe bool) error {
	p := sim.organizer
	sale := &Sale{Name: fmt.Sprintf("Night %d", len(sim.Sales())+1), Probe: probe}
	if probe {
		sale.Name = "Probe event"
	}
	var venue client.Venue
	answer := p.retry(ctx, saleTimeout, history.Call{Kind: history.Other}, func(ctx context.Context, c *client.Client, _ *history.Call) (err error) {
		venue, err = c.CreateVenue(ctx, hall(probe))
		return err
	})
	if answer.Outcome != history.Done {
		return fmt.Errorf("create venue for %s: %s", sale.Name, answer.Error)
	}
	answer = p.retry(ctx, saleTimeout, history.Call{Kind: history.Other}, func(ctx context.Context, c *client.Client, _ *history.Call) error {
		event, err := c.CreateEvent(ctx, draft(sale.Name, venue.ID))
		sale.ID = event.ID
		return err
	})
	if answer.Outcome != history.Done {
		return fmt.Errorf("create draft of %s: %s", sale.Name, answer.Error)
	}
	for _, section := range venue.Sections {
		var seats []string
		for _, row := range section.Rows {
			for _, seat := range row.Seats {
				seats = append(seats, seat.ID)
			}
		}
		sale.Seats = append(sale.Seats, seats)
	}
	// After an unknown outcome a second attempt may be refused because the
	// first one took effect; what counts is whether the seats appear.
	p.retry(ctx, saleTimeout, history.Call{Kind: history.Publish, EventID: sale.ID},
		func(ctx context.Context, c *client.Client, _ *history.Call) error {
			_, err := c.Publish(ctx, sale.ID)
			return err
		})
	for deadline := time.Now().Add(saleTimeout); ; clock.Sleep(ctx, 200*time.Millisecond) {
		answer := p.call(ctx, p.gateway(), callTimeout, history.Call{Kind: history.Seats, EventID: sale.ID}, readSeats(sale.ID))
		if answer.Outcome == history.Done {
			break
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("%s did not go on sale: %s", sale.Name, answer.Error)
		}
	}
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.all = append(sim.all, sale)
	if !probe {
		sim.sales = append(sim.sales, sale)
	}
	return nil
}

func readSeats(event string) request {
	return func(ctx context.Context, c *client.Client, _ *history.Call) error {
		_, err := c.Seats(ctx, event)
		return err
	}
}

func (sim *Simulation) oldest() *Sale {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	return sim.sales[0]
}

// retire directs buyers away from the oldest event.
func (sim *Simulation) retire() {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.sales = sim.sales[1:]
}

// cancel cancels an event during its sale. Repeating the request is harmless.
func (sim *Simulation) cancel(ctx context.Context, sale *Sale) {
	sim.organizer.retry(ctx, saleTimeout, history.Call{Kind: history.CancelEvent, EventID: sale.ID},
		func(ctx context.Context, c *client.Client, _ *history.Call) error {
			_, err := c.CancelEvent(ctx, sale.ID, "The artist is ill.")
			return err
		})
}

// hall returns a venue of three sections, one block each, and a standing area.
func hall(probe bool) client.NewVenue {
	v := client.NewVenue{
		Name: "Great Hall", City: "Vienna", TimeZone: "Europe/Vienna",
		Categories: []client.Category{{ID: "seated", Name: "Seated"}, {ID: "standing", Name: "Standing"}},
		Areas:      []client.NewArea{{ID: "floor", Name: "Floor", Category: "standing", Capacity: standingPlaces, X: 0, Y: -5}},
	}
	rowCount, inRow := rows, seatsPerRow
	if probe {
		rowCount, inRow = probeRows, probeSeatsPerRow
	}
	for s := range sections {
		section := client.NewSection{ID: "section-" + strconv.Itoa(s+1), Name: "Section " + strconv.Itoa(s+1)}
		for r := range rowCount {
			row := client.NewRow{Label: strconv.Itoa(r + 1), Category: "seated"}
			for i := range inRow {
				row.Seats = append(row.Seats, client.NewSeat{Number: strconv.Itoa(i + 1), X: float64(40*s + i), Y: float64(r)})
			}
			section.Rows = append(section.Rows, row)
		}
		v.Sections = append(v.Sections, section)
	}
	return v
}

// draft sets prices for which different selections of tickets rarely have the
// same total.
func draft(name, venue string) client.NewEvent {
	now := time.Now().UTC().Truncate(time.Second)
	return client.NewEvent{
		Name: name, VenueID: venue, StartsAt: now.AddDate(0, 2, 0), EndsAt: now.AddDate(0, 2, 0).Add(3 * time.Hour),
		TimeZone: "Europe/Vienna", Currency: "EUR",
		TicketTypes: []client.NewTicketType{
			{ID: "seated", Name: "Seated", Category: "seated", Price: 4517},
			{ID: "standing", Name: "Standing", Category: "standing", Price: 1903},
		},
		SaleStartsAt: now.Add(-time.Minute), SaleEndsAt: now.AddDate(0, 1, 0), MaxSeatsPerBuyer: 50, HoldSeconds: HoldSeconds,
	}
}
