package booking

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
)

// Shards is into how many parts the sweeps are divided among the replicas.
const Shards = 8

func shardOf(id BlockID) int {
	return (int(id.Event[15]) + int(id.Event[14])<<8 + id.Block) % Shards
}

// SweepHolds ends what is overdue in the blocks of a shard. It is called a few
// times a second by the shard's leader.
func (s *Service) SweepHolds(ctx context.Context, shard int) error {
	return s.sweepHolds(ctx, 0, func(id BlockID) bool { return shardOf(id) == shard })
}

// leaderGrace is how long after its deadline a hold is left to the leader.
const leaderGrace = 2500 * time.Millisecond

// SweepForgotten ends, in all blocks, what no leader has ended: there is none
// for some seconds after one has died. It is called by every replica.
func (s *Service) SweepForgotten(ctx context.Context) error {
	return s.sweepHolds(ctx, leaderGrace, func(BlockID) bool { return true })
}

func (s *Service) sweepHolds(ctx context.Context, grace time.Duration, mine func(BlockID) bool) error {
	before := s.clock.Now().Add(-grace).UnixMilli()
	// One hold that cannot be ended must not keep the others: no shared context.
	var group errgroup.Group
	group.SetLimit(64)
	for _, sale := range s.inventory.Sales() {
		for _, b := range sale.blocks {
			if !mine(b.id) {
				continue
			}
			for _, o := range b.overdue(before) {
				group.Go(func() error { return s.settle(ctx, o) })
			}
		}
	}
	return group.Wait()
}

// outboxGrace is how long whoever made a change has to publish its messages
// before the sweep does.
const outboxGrace = 3 * time.Second

// OutboxSweep finds messages that were stored and not published, because a
// process or Kafka died, and compares confirmed bookings with their seats.
type OutboxSweep struct {
	service *Service
	shard   int
	// clean has the version at which a block had nothing left to publish.
	clean map[BlockID]int64
}

// NewOutboxSweep returns a sweep of a shard that has seen nothing yet.
func (s *Service) NewOutboxSweep(shard int) *OutboxSweep {
	return &OutboxSweep{service: s, shard: shard, clean: map[BlockID]int64{}}
}

// Run goes once through the shard's blocks that have changed since they were
// found clean.
func (o *OutboxSweep) Run(ctx context.Context) error {
	s := o.service
	now := s.clock.Now()
	var oldest time.Duration
	var failure error
	for _, sale := range s.inventory.Sales() {
		for _, b := range sale.blocks {
			if shardOf(b.id) != o.shard {
				continue
			}
			version := s.inventory.version(b.id)
			if o.clean[b.id] == version {
				continue
			}
			records, err := s.store.ReadBookings(ctx, b.id)
			if err != nil {
				failure = errors.Join(failure, err)
				continue
			}
			clean := true
			for _, rec := range records {
				if len(rec.Outbox) == 0 {
					continue
				}
				clean = false
				if age := now.Sub(rec.UpdatedAt); age > outboxGrace {
					oldest = max(oldest, age)
					s.publish(rec)
				}
			}
			s.audit(sale, b, version, records)
			if clean {
				o.clean[b.id] = version
			}
		}
	}
	outboxLag.Set(oldest.Seconds())
	return failure
}

// audit counts seats of confirmed bookings that are not theirs. It judges only
// when the block stood still while its bookings were read.
func (s *Service) audit(sale *Sale, b *block, version int64, records []Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.version != version {
		return
	}
	for _, rec := range records {
		if rec.Status != Confirmed {
			continue
		}
		for _, seat := range rec.Seats {
			if seat.ID.Block != b.id.Block || b.seats[seat.ID.Index].Owner == rec.ID {
				continue
			}
			oversold.Inc()
			slog.Error("a seat of a confirmed booking is somebody else's", "event", sale.Event().ID(), "seat", seat.ID.String(), "booking", rec.ID)
		}
	}
}
