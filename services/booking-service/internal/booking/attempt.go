package booking

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
)

// attempt takes the locks, commits, and undoes what it did when it loses.
func (s *Service) attempt(ctx context.Context, h *hold) (Booking, bool, error) {
	now := s.clock.Now()
	rec := h.record(ctx, now)
	warm, err := s.lock(ctx, h, &rec)
	if errors.Is(err, errTwin) {
		return s.awaitTwin(ctx, h)
	}
	if err != nil {
		return Booking{}, false, err
	}
	entry := &IndexEntry{rec.Ref(), h.User, now.UnixMilli()}
	if h.Key != "" {
		// The key is on record before anything is done under it: a later attempt
		// must know that there may be this one.
		if err := s.store.IndexKey(ctx, *entry, h.Key, h.Hash); err != nil {
			s.releaseLocks(ctx, h)
			return Booking{}, false, err
		}
		entry = nil
	}
	start := time.Now()
	err = s.commit(ctx, h, &rec, entry)
	observe.Observe(ctx, lockDuration.WithLabelValues("commit", outcomeOf(err)), time.Since(start).Seconds())
	switch {
	case errors.Is(err, errExists):
		return s.alreadyHeld(ctx, h)
	case errors.Is(err, ErrUnknown):
		return Booking{}, false, err
	case err != nil:
		s.releaseLocks(ctx, h)
		return Booking{}, false, err
	}
	if !warm {
		s.locks.Settle(ctx, h.Event, []LockOutcome{{
			Booking: h.id, User: h.User, Seats: h.seats, State: HeldSeat, Deadline: rec.ExpiresAt.UnixMilli(),
		}})
	}
	s.recent.Add(rec.ID, rec)
	s.publish(rec)
	return rec.Booking, false, nil
}

// record is the booking that the hold is to become.
func (h *hold) record(ctx context.Context, now time.Time) Record {
	groups := groupByBlock(h.seats)
	home := h.home
	if home == 0 {
		home = groups[0].Block
	}
	rec := Record{Revision: 1, UpdatedAt: now, Booking: Booking{
		ID: h.id, Home: BlockID{h.Event, home}, UserID: h.User, Holder: h.Holder,
		EventName: h.event.Name, StartsAt: h.event.StartsAt, Status: Held,
		Total: events.Money{Currency: h.event.Currency}, CreatedAt: now.Truncate(time.Millisecond),
		ExpiresAt: now.Add(time.Duration(h.event.HoldSeconds) * time.Second).Truncate(time.Millisecond),
	}}
	for _, id := range h.seats {
		seat := h.event.Describe(id)
		rec.Seats = append(rec.Seats, seat)
		rec.Total.Amount += seat.Price
	}
	rec.Outbox = []Message{message(ctx, now, events.TopicBookingCreated, events.TypeBookingCreated, rec.Created())}
	return rec
}

// A hold over the buyer's limit is asked for again that often, after a pause, if
// the store says that it is not.
const (
	recounts     = 3
	recountPause = 30 * time.Millisecond
)

// lock takes the locks; warm is false when they are not there and the
// store alone must decide.
func (s *Service) lock(ctx context.Context, h *hold, rec *Record) (warm bool, err error) {
	start := time.Now()
	request := LockRequest{
		Event: h.Event, Booking: h.id, User: h.User, Seats: h.seats, Deadline: rec.ExpiresAt.UnixMilli(),
		Limit: h.event.MaxSeatsPerBuyer, Exclusive: h.home != 0,
	}
	answer, err := s.locks.Take(ctx, request)
	for range recounts {
		if err != nil || answer.Verdict != LocksOverLimit || s.checkLimit(ctx, h) != nil || !pause(ctx, recountPause) {
			break
		}
		// They count what has ended: they are about to hear of it, or whoever was to
		// tell them has died and checkLimit has told them.
		answer, err = s.locks.Take(ctx, request)
	}
	outcome := "cold"
	defer func() {
		observe.Observe(ctx, lockDuration.WithLabelValues("redis", outcome), time.Since(start).Seconds())
	}()
	if err != nil || answer.Verdict == LocksCold {
		if err == nil {
			s.warm(h.sale)
		}
		return false, s.checkLimit(ctx, h)
	}
	switch answer.Verdict {
	default:
	case LocksRefused:
		outcome = "refused"
		return true, refuse(SeatsTaken, answer.Taken...)
	case LocksOverLimit:
		outcome = "refused"
		return true, &Refusal{Reason: BuyerLimit, Limit: h.event.MaxSeatsPerBuyer, Held: answer.Held}
	case LocksTwin:
		outcome = "refused"
		return true, errTwin
	}
	outcome = "done"
	return true, nil
}

// checkLimit counts the buyer's seats in the store, and tells the locks of those
// that count no more.
func (s *Service) checkLimit(ctx context.Context, h *hold) error {
	entries, err := s.store.UserBookings(ctx, h.User)
	if err != nil {
		return err
	}
	held := 0
	for _, e := range entries {
		if e.Event != h.Event || e.ID == h.id {
			continue
		}
		rec, err := s.store.ReadBooking(ctx, e.Ref, false)
		if err != nil {
			return err
		}
		switch {
		case rec.Revision == 0:
		case rec.Status.Live():
			held += len(rec.Seats)
		default:
			s.settleLocks(ctx, &rec)
		}
	}
	if held+len(h.seats) > h.event.MaxSeatsPerBuyer {
		return &Refusal{Reason: BuyerLimit, Limit: h.event.MaxSeatsPerBuyer, Held: held}
	}
	return nil
}

var errExists = errors.New("the booking's row is there already")

// commit writes the hold: the seats of other blocks first, in block order, the
// booking's row with the seats of its own block last. Before that nothing was
// promised to anybody.
func (s *Service) commit(ctx context.Context, h *hold, rec *Record, entry *IndexEntry) error {
	var atHome []SeatChange
	var written []BlockSeats
	for _, g := range groupByBlock(h.seats) {
		changes := make([]SeatChange, len(g.Indexes))
		for i, n := range g.Indexes {
			changes[i] = SeatChange{Index: n, To: Seat{
				Owner: h.id, Deadline: rec.ExpiresAt.UnixMilli(), Home: int32(rec.Home.Block), State: HeldSeat,
			}}
		}
		if g.Block == rec.Home.Block {
			atHome = changes
			continue
		}
		refused, err := s.committer.Commit(ctx, BlockID{h.Event, g.Block}, Change{Seats: changes})
		if err == nil && refused.Yes() {
			err = s.refusal(ctx, h, g.Block, refused)
		}
		if err != nil {
			return s.undo(ctx, h, rec, written, err)
		}
		written = append(written, g)
	}
	refused, err := s.committer.Commit(ctx, rec.Home, Change{Seats: atHome, Booking: &BookingChange{To: *rec}, Index: entry})
	switch {
	case err == nil && refused.WrongRevision:
		return errExists
	case err == nil && refused.Yes():
		err = s.refusal(ctx, h, rec.Home.Block, refused)
	}
	if err != nil {
		return s.undo(ctx, h, rec, written, err)
	}
	return nil
}

// refusal names the seats that were lost and tells the locks who has them, so
// that the next one asks in vain there and not here.
func (s *Service) refusal(ctx context.Context, h *hold, block int, refused Conflict) error {
	var lost []SeatID
	for i := range refused.Owners {
		lost = append(lost, SeatID{block, i})
	}
	for _, i := range refused.Missing {
		lost = append(lost, SeatID{block, i})
	}
	if err := s.inventory.Refresh(ctx, BlockID{h.Event, block}); err != nil {
		slog.WarnContext(ctx, "a refused hold leaves the picture of its block old", "error", err)
	}
	for _, id := range lost {
		if !h.event.Has(id) {
			continue
		}
		seat := h.sale.seat(id)
		if seat.State == HeldSeat || seat.State == Sold {
			until := seat.Deadline
			if seat.State == Sold {
				until = s.soldUntil(h.Event)
			}
			s.locks.Settle(ctx, h.Event, []LockOutcome{
				{Booking: h.id, Seats: []SeatID{id}, State: Available},
				{Booking: seat.Owner, Seats: []SeatID{id}, State: seat.State, Deadline: until},
			})
		}
	}
	return refuse(SeatsTaken, lost...)
}

// undo gives back the seats of a hold that lost others. First it closes the
// booking's id: a twin of this request, or a late arrival of it, must not make
// a booking of seats that are being given back. Whatever fails here the sweep
// does after the deadline.
func (s *Service) undo(ctx context.Context, h *hold, rec *Record, written []BlockSeats, cause error) error {
	var lost *Refusal
	if len(written) == 0 || !errors.As(cause, &lost) {
		return cause
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.fence(ctx, rec.Ref(), func(r *Record) { r.UserID, r.Seats = rec.UserID, rec.Seats }); err != nil {
		slog.WarnContext(ctx, "a lost hold is left to the sweep", "booking", h.id, "error", err)
		return cause
	}
	s.release(ctx, rec.Ref(), written)
	return cause
}

// release gives back what is not the booking's, now rather than at the deadline.
func (s *Service) release(ctx context.Context, ref Ref, groups []BlockSeats) {
	if err := s.converge(ctx, ref, groups); err != nil {
		slog.WarnContext(ctx, "seats of a lost hold are left to the sweep", "booking", ref.ID, "error", err)
	}
}

// fence writes a refused booking's row if there is none yet.
func (s *Service) fence(ctx context.Context, ref Ref, fill func(*Record)) error {
	now := s.clock.Now()
	rec := Record{Revision: 1, UpdatedAt: now, Booking: Booking{
		ID: ref.ID, Home: ref.BlockID, Status: Refused, CreatedAt: now, ExpiresAt: now, EndedAt: &now,
	}}
	fill(&rec)
	refused, err := s.committer.Commit(ctx, ref.BlockID, Change{Booking: &BookingChange{To: rec}})
	if err == nil && !refused.Yes() {
		s.publish(rec)
	}
	return err
}

func (s *Service) releaseLocks(ctx context.Context, h *hold) {
	s.locks.Settle(ctx, h.Event, []LockOutcome{{Booking: h.id, User: h.User, Seats: h.seats, State: Available}})
}

// pause waits; false when ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
