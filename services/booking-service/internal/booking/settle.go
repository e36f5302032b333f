package booking

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// settle brings seats found held past their deadline in line with the booking
// that owns them, ending it if it is overdue. Two replicas doing it at once do
// no harm.
func (s *Service) settle(ctx context.Context, o Overdue) error {
	rec, err := s.expire(ctx, o.Ref)
	if refusedFor(err, NotFound) {
		// Seats of a hold whose row was never written, or is still on its way:
		// from here on it comes too late.
		err = s.fence(ctx, o.Ref, func(*Record) {})
	}
	if err != nil {
		return err
	}
	if rec.Status == Expired || rec.Status == PaymentFailed {
		expiryLag.Observe(s.clock.Now().Sub(time.UnixMilli(o.Deadline)).Seconds())
	}
	left := o.Indexes[:0:0]
	sale, b := s.inventory.block(BlockID{o.Event, o.Block})
	if b == nil {
		return nil
	}
	for _, i := range o.Indexes {
		if seat := sale.seat(SeatID{o.Block, i}); seat.Owner == o.ID && seat.State == HeldSeat {
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return s.converge(ctx, o.Ref, []BlockSeats{{o.Block, left}})
}

// converge makes seats follow the row of the booking that owned them: sold,
// still held, or free. Seats that others own by now are left alone.
func (s *Service) converge(ctx context.Context, ref Ref, groups []BlockSeats) error {
	rec, err := s.store.ReadBooking(ctx, ref, true)
	if err != nil {
		return err
	}
	listed := map[SeatID]bool{}
	for _, seat := range rec.Seats {
		listed[seat.ID] = rec.Status.Live()
	}
	for _, g := range groups {
		for _, i := range g.Indexes {
			change := SeatChange{Index: i, From: ref.ID, To: freeSeat()}
			switch {
			case listed[SeatID{g.Block, i}] && rec.Status == Confirmed:
				change.To = Seat{Owner: ref.ID, Home: int32(ref.Block), State: Sold}
			case listed[SeatID{g.Block, i}]:
				continue
			}
			refused, err := s.committer.Commit(ctx, BlockID{ref.Event, g.Block}, Change{Seats: []SeatChange{change}})
			if err != nil {
				return err
			}
			if refused.Yes() {
				// Somebody else's by now, or free: our picture was old.
				if err := s.inventory.Refresh(ctx, BlockID{ref.Event, g.Block}); err != nil {
					return err
				}
				continue
			}
			s.locks.Settle(ctx, ref.Event, []LockOutcome{{
				Booking: ref.ID, Seats: []SeatID{{g.Block, i}}, State: change.To.State, Deadline: s.soldUntil(ref.Event),
			}})
		}
	}
	return nil
}

// endOverdue ends the overdue holds among the owners of seats and tells
// whether there were any.
func (s *Service) endOverdue(ctx context.Context, sale *Sale, seats []SeatID) bool {
	now := s.clock.Now().UnixMilli()
	found := false
	for _, g := range groupByBlock(seats) {
		for _, o := range sale.blocks[g.Block-1].overdue(now) {
			if !slices.ContainsFunc(o.Indexes, func(i int) bool { return slices.Contains(g.Indexes, i) }) {
				continue
			}
			found = true
			if err := s.settle(ctx, o); err != nil {
				slog.WarnContext(ctx, "an overdue hold could not be ended", "booking", o.ID, "error", err)
			}
		}
	}
	return found
}

// Shards is into how many parts the sweeps are divided among the replicas.
const Shards = 8

func shardOf(id BlockID) int {
	return (int(id.Event[15]) + int(id.Event[14])<<8 + id.Block) % Shards
}

// SweepHolds ends what is overdue in the blocks of a shard. It is called a few
// times a second by the shard's leader.
func (s *Service) SweepHolds(ctx context.Context, shard int) error {
	now := s.clock.Now().UnixMilli()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(64)
	for _, sale := range s.inventory.Sales() {
		for _, b := range sale.blocks {
			if shardOf(b.id) != shard {
				continue
			}
			for _, o := range b.overdue(now) {
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
				return err
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
	return nil
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

// warm restores an event's locks from the store, once at a time.
func (s *Service) warm(sale *Sale) {
	event := sale.Event().ID()
	if _, underWay := s.warming.LoadOrStore(event, true); underWay {
		return
	}
	go func() {
		defer s.warming.Delete(event)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.warmNow(ctx, sale); err != nil {
			slog.Warn("the locks of an event could not be restored; holds go to the store", "event", event, "error", err)
		}
	}()
}

func (s *Service) warmNow(ctx context.Context, sale *Sale) error {
	event := sale.Event().ID()
	all := make([][]LockOutcome, len(sale.blocks))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, b := range sale.blocks {
		group.Go(func() error {
			records, err := s.store.ReadBookings(groupCtx, b.id)
			for _, rec := range records {
				if !rec.Status.Live() {
					continue
				}
				o := LockOutcome{Booking: rec.ID, User: rec.UserID, State: HeldSeat, Deadline: rec.ExpiresAt.UnixMilli()}
				if rec.Status == Confirmed {
					o.State, o.Deadline = Sold, s.soldUntil(event)
				}
				for _, seat := range rec.Seats {
					o.Seats = append(o.Seats, seat.ID)
				}
				all[i] = append(all[i], o)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return s.locks.Warm(ctx, event, slices.Concat(all...))
}

// Changed takes in an event as event-service announced it: opens its sale,
// changes it, or ends it. It may be called again with the same announcement.
func (s *Service) Changed(ctx context.Context, def events.EventChanged) error {
	e, err := NewEvent(def)
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range e.BlockCount() {
		group.Go(func() error {
			return s.store.CreateBlock(groupCtx, BlockID{e.ID(), i + 1}, e.InitialSeats(i+1))
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	// The definition comes after the rows: an event that is known has them all.
	if err := s.store.SaveEvent(ctx, e); err != nil {
		return err
	}
	if err := s.inventory.Load(ctx, e); err != nil {
		return err
	}
	if e.Status == events.EventEnded {
		return s.closeSale(ctx, e)
	}
	s.warm(s.inventory.Sale(e.ID()))
	return nil
}

// closeSale ends every booking of a cancelled event and takes all its seats
// off sale. It goes over a block until nothing is left: a replica that has not
// heard yet may still win a seat, but none that is blocked.
func (s *Service) closeSale(ctx context.Context, e *Event) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range e.BlockCount() {
		group.Go(func() error { return s.closeBlock(ctx, BlockID{e.ID(), i + 1}) })
	}
	return group.Wait()
}

func (s *Service) closeBlock(ctx context.Context, id BlockID) error {
	for {
		block, err := s.store.ReadBlock(ctx, id)
		if err != nil {
			return err
		}
		var free []SeatChange
		owners := map[Ref]bool{}
		for i, seat := range block.Seats {
			switch seat.State {
			default:
			case Available:
				free = append(free, SeatChange{Index: i, To: blockedSeat()})
			case HeldSeat, Sold:
				owners[Ref{BlockID{id.Event, int(seat.Home)}, seat.Owner}] = true
			}
		}
		if len(free) == 0 && len(owners) == 0 {
			return nil
		}
		if len(free) > 0 {
			if _, err := s.committer.Commit(ctx, id, Change{Seats: free}); err != nil {
				return err
			}
		}
		for ref := range owners {
			if err := s.endForEvent(ctx, ref, id, block.Seats); err != nil {
				return err
			}
		}
	}
}

func (s *Service) endForEvent(ctx context.Context, ref Ref, id BlockID, seats []Seat) error {
	_, err := s.update(ctx, ref, func(r *Record) (bool, error) {
		if !r.Status.Live() {
			return false, nil
		}
		s.end(ctx, r, Cancelled, events.EventCancelled)
		return true, nil
	})
	if refusedFor(err, NotFound) {
		err = s.fence(ctx, ref, func(*Record) {})
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	var left []int
	for i, seat := range seats {
		if seat.Owner == ref.ID {
			left = append(left, i)
		}
	}
	return s.converge(ctx, ref, []BlockSeats{{id.Block, left}})
}

// SyncEvents loads the events that are new or changed in the store, and drops
// those that ended more than a day ago.
func (s *Service) SyncEvents(ctx context.Context) error {
	versions, err := s.store.EventVersions(ctx)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	for id, version := range versions {
		sale := s.inventory.Sale(id)
		if sale != nil && sale.Event().Version >= version {
			if now.After(sale.Event().EndsAt.Add(keptAfterEnd)) {
				s.inventory.Forget(id)
			}
			continue
		}
		e, err := s.store.ReadEvent(ctx, id)
		if err != nil {
			return err
		}
		if e == nil || now.After(e.EndsAt.Add(keptAfterEnd)) {
			continue
		}
		if err := s.inventory.Load(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// Sale returns an event's seats, nil when there is no such sale. One that was
// opened a moment ago, by another replica, is read from the store.
func (s *Service) Sale(ctx context.Context, event uuid.UUID) (*Sale, error) {
	if sale := s.inventory.Sale(event); sale != nil {
		return sale, nil
	}
	e, err := s.store.ReadEvent(ctx, event)
	if err != nil || e == nil || s.clock.Now().After(e.EndsAt.Add(keptAfterEnd)) {
		return nil, err
	}
	if err := s.inventory.Load(ctx, e); err != nil {
		return nil, err
	}
	return s.inventory.Sale(event), nil
}

// keptAfterEnd is how long an event that is over stays in memory.
const keptAfterEnd = 24 * time.Hour

// Correct brings the picture of every sale up to the store: what the feed has
// lost is seen here.
func (s *Service) Correct(ctx context.Context) error {
	for _, sale := range s.inventory.Sales() {
		if err := s.inventory.Correct(ctx, sale); err != nil {
			return err
		}
	}
	return nil
}
