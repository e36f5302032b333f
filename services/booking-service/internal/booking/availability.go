package booking

import (
	"context"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Availability announces when an event is sold out, and when it no longer is.
type Availability struct {
	service  *Service
	shard    int
	announce func(events.EventAvailability, func(error))
	// soldOut is what was announced last.
	soldOut map[uuid.UUID]bool
}

// NewAvailability returns the announcer for the events of a shard.
func (s *Service) NewAvailability(shard int, announce func(events.EventAvailability, func(error))) *Availability {
	return &Availability{service: s, shard: shard, announce: announce, soldOut: map[uuid.UUID]bool{}}
}

// Run announces what has turned since it last ran; at first, everything.
func (a *Availability) Run(ctx context.Context) error {
	for _, sale := range a.service.inventory.Sales() {
		e := sale.Event()
		if shardOf(BlockID{e.ID(), 1}) != a.shard || e.Status != events.EventPublished {
			continue
		}
		available, held, sold, _ := sale.Counts()
		soldOut := available+held == 0
		if last, known := a.soldOut[e.ID()]; known && last == soldOut {
			continue
		}
		acked := make(chan error, 1)
		a.announce(events.EventAvailability{
			EventID: e.ID(), Available: available, Held: held, Sold: sold, Total: available + held + sold, At: a.service.clock.Now(),
		}, func(err error) { acked <- err })
		select {
		case err := <-acked:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		a.soldOut[e.ID()] = soldOut
	}
	return nil
}
