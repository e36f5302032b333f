package booking

import (
	"context"
	"log/slog"
	"slices"
	"time"
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
