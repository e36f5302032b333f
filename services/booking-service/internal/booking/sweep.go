package booking

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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

// pictureLag is how far the picture of a block is behind the store at most.
const pictureLag = 10 * time.Second

// leftBehind returns the seats that an ended booking still owns, as far as is
// known here: whoever ended it died before it had gone through all blocks. A
// sold seat has no deadline, so no other sweep comes by.
func leftBehind(sale *Sale, rec *Record) []BlockSeats {
	if rec.Status.Live() {
		return nil
	}
	var seats []SeatID
	for _, seat := range rec.Seats {
		if seat.ID.Block != rec.Home.Block && sale.seat(seat.ID).Owner == rec.ID {
			seats = append(seats, seat.ID)
		}
	}
	return groupByBlock(seats)
}

// OutboxSweep finds messages that were stored and not published, because a
// process or Kafka died, gives back the seats that an ended booking was left
// with in other blocks, and compares confirmed bookings with their seats.
type OutboxSweep struct {
	service *Service
	shard   int
	// seen has the version at which a block was looked at last, clean the one at
	// which it had nothing left to do.
	seen, clean map[BlockID]int64
	oldest      time.Duration
}

// NewOutboxSweep returns a sweep of a shard that has seen nothing yet.
func (s *Service) NewOutboxSweep(shard int) *OutboxSweep {
	return &OutboxSweep{service: s, shard: shard, seen: map[BlockID]int64{}, clean: map[BlockID]int64{}}
}

// Run goes once through the shard's blocks that have changed since they were
// found clean. Of a block that changes all the time only the messages are
// looked for; the whole of it is read when it has come to rest.
func (o *OutboxSweep) Run(ctx context.Context) error {
	s := o.service
	o.oldest = 0
	var failure error
	for _, sale := range s.inventory.Sales() {
		for _, b := range sale.blocks {
			version := s.inventory.version(b.id)
			if shardOf(b.id) != o.shard || o.clean[b.id] == version {
				continue
			}
			if err := o.sweep(ctx, sale, b, version); err != nil {
				failure = errors.Join(failure, err)
				continue
			}
			o.seen[b.id] = version
		}
	}
	outboxLag.Set(o.oldest.Seconds())
	return failure
}

func (o *OutboxSweep) sweep(ctx context.Context, sale *Sale, b *block, version int64) error {
	s := o.service
	unsent, err := s.store.ReadUnsent(ctx, b.id)
	if err != nil {
		return err
	}
	for i := range unsent {
		o.publish(&unsent[i])
	}
	if len(unsent) > 0 || o.seen[b.id] != version {
		return nil
	}
	records, err := s.store.ReadBookings(ctx, b.id)
	if err != nil {
		return err
	}
	clean := true
	var failure error
	for i := range records {
		rec := &records[i]
		age := s.clock.Now().Sub(rec.UpdatedAt)
		left := leftBehind(sale, rec)
		if len(left) > 0 && age > outboxGrace {
			failure = errors.Join(failure, s.converge(ctx, rec.Ref(), left))
		}
		settled := rec.Status.Live() || len(rec.SeatsByBlock()) < 2 || len(left) == 0 && age > outboxGrace+pictureLag
		clean = clean && settled && len(rec.Outbox) == 0
	}
	failure = errors.Join(failure, s.audit(ctx, b, records))
	if clean && failure == nil {
		o.clean[b.id] = version
	}
	return failure
}

// publish sends what whoever stored it had time enough to send.
func (o *OutboxSweep) publish(rec *Record) {
	age := o.service.clock.Now().Sub(rec.UpdatedAt)
	if len(rec.Outbox) > 0 && age > outboxGrace {
		o.oldest = max(o.oldest, age)
		o.service.publish(*rec)
	}
}

// audit counts seats of confirmed bookings that are not theirs. What the
// picture shows is only suspected: it may be behind what was read.
func (s *Service) audit(ctx context.Context, b *block, records []Record) error {
	var failure error
	for i := range records {
		if records[i].Status != Confirmed || b.owns(&records[i]) {
			continue
		}
		lost, err := s.lost(ctx, records[i].Ref(), b.id)
		failure = errors.Join(failure, err)
		for _, seat := range lost {
			oversold.Inc()
			slog.ErrorContext(ctx, "a seat of a confirmed booking is somebody else's", "event", b.id.Event, "seat", seat.String(), "booking", records[i].ID)
		}
	}
	return failure
}

// owns tells whether a booking has all its seats of the block, as known here.
func (b *block) owns(rec *Record) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !slices.ContainsFunc(rec.Seats, func(seat BookedSeat) bool {
		return seat.ID.Block == b.id.Block && b.seats[seat.ID.Index].Owner != rec.ID
	})
}

// lost returns the seats of a block that a booking, confirmed before and after
// the block was read, did not own.
func (s *Service) lost(ctx context.Context, ref Ref, id BlockID) ([]SeatID, error) {
	before, err := s.store.ReadBooking(ctx, ref, true)
	if err != nil || before.Status != Confirmed {
		return nil, err
	}
	read, err := s.store.ReadBlock(ctx, id)
	if err != nil {
		return nil, err
	}
	var lost []SeatID
	for _, seat := range before.Seats {
		if seat.ID.Block == id.Block && read.Seats[seat.ID.Index].Owner != ref.ID {
			lost = append(lost, seat.ID)
		}
	}
	if len(lost) == 0 {
		return nil, nil
	}
	after, err := s.store.ReadBooking(ctx, ref, true)
	if err != nil || after.Status != Confirmed {
		return nil, err
	}
	return lost, nil
}
