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
// those that ended more than a day ago. An event that cannot be loaded does not
// keep the others.
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
		if err := s.load(ctx, id); err != nil {
			slog.WarnContext(ctx, "an event could not be loaded; it is tried again", "event", id, "error", err)
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
	if err := s.load(ctx, event); err != nil {
		return nil, err
	}
	return s.inventory.Sale(event), nil
}

// Event returns the definition of an event that is or was on sale, nil when
// there is none. Unlike the sale it stays when the event is over.
func (s *Service) Event(ctx context.Context, id uuid.UUID) (*Event, error) {
	if sale := s.inventory.Sale(id); sale != nil {
		return sale.Event(), nil
	}
	return s.store.ReadEvent(ctx, id)
}

// load reads an event's definition and seats from the store unless it is over.
// All who ask at once, as on the first second of a sale, wait for one reading.
func (s *Service) load(ctx context.Context, event uuid.UUID) error {
	_, err, _ := s.loading.Do(event.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		e, err := s.store.ReadEvent(ctx, event)
		if err != nil || e == nil || s.clock.Now().After(e.EndsAt.Add(keptAfterEnd)) {
			return nil, err
		}
		return nil, s.inventory.Load(ctx, e)
	})
	return err
}

// loadTimeout bounds the reading of one event's seats.
const loadTimeout = 20 * time.Second

// keptAfterEnd is how long an event that is over stays in memory.
const keptAfterEnd = 24 * time.Hour

// Correct brings the picture of every sale up to the store: what the feed has
// lost is seen here.
func (s *Service) Correct(ctx context.Context) error {
	var failure error
	for _, sale := range s.inventory.Sales() {
		failure = errors.Join(failure, s.inventory.Correct(ctx, sale))
	}
	return failure
}
