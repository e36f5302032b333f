package booking

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
)

// MaxSeatsPerHold bounds a request, whatever the event allows a buyer.
const MaxSeatsPerHold = 50

// attempts to find other seats when the chosen ones went to somebody else.
const attempts = 8

// HoldRequest asks for seats by id, or for the best quantity of a ticket type.
type HoldRequest struct {
	User  uuid.UUID
	Event uuid.UUID
	Seats []SeatID
	// TicketType and Quantity, when Seats is empty.
	TicketType string
	Quantity   int
	// Key is the Idempotency-Key, empty when there is none; Hash is what two
	// requests with the same key must share.
	Key  string
	Hash []byte
}

// hold is one attempt to hold particular seats.
type hold struct {
	HoldRequest
	sale  *Sale
	event *Event
	id    uuid.UUID
	// home is 0 until the seats decide it.
	home  int
	seats []SeatID
}

// Hold takes seats for a buyer until the event's hold time is over. With a key
// that was used before it returns that booking as it was made, and replayed.
// Errors: a Refusal; one that wraps ErrUnknown, after which only the same key
// may be tried again; any other means that nothing was done.
func (s *Service) Hold(ctx context.Context, req HoldRequest) (b Booking, replayed bool, err error) {
	start := time.Now()
	defer func() {
		observe.Observe(ctx, lockDuration.WithLabelValues("total", outcomeOf(err)), time.Since(start).Seconds())
	}()
	h := &hold{HoldRequest: req, seats: req.Seats, id: uuid.Must(uuid.NewV7())}
	if req.Key == "" {
		return s.hold(ctx, h)
	}
	h.id = keyedID(req)
	// Twins that arrive together share one attempt, which outlives its client.
	first := false
	type made struct {
		booking  Booking
		replayed bool
	}
	v, err, _ := s.twins.Do(h.id.String(), func() (any, error) {
		first = true
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keyedTimeout)
		defer cancel()
		b, replayed, open, err := s.replay(ctx, req)
		if err == nil && !replayed {
			b, replayed, err = s.hold(ctx, h)
			var refusal *Refusal
			if open != nil && errors.As(err, &refusal) {
				b, replayed, err = s.refuseForGood(ctx, req, *open, refusal)
			}
		}
		return made{b, replayed}, err
	})
	m, _ := v.(made)
	return m.booking, m.replayed || !first, err
}

// keyedTimeout bounds an attempt under a key.
const keyedTimeout = 8 * time.Second

func (s *Service) hold(ctx context.Context, h *hold) (b Booking, replayed bool, err error) {
	if h.sale, err = s.Sale(ctx, h.Event); err != nil {
		return b, false, err
	}
	if h.sale == nil {
		return b, false, refuse(EventNotOnSale)
	}
	h.event = h.sale.Event()
	if err := h.check(s.clock.Now()); err != nil {
		return b, false, err
	}
	if len(h.Seats) > 0 {
		return s.holdSeats(ctx, h)
	}
	return s.holdBest(ctx, h)
}

// keyedID derives the id of a booking made under an Idempotency-Key from user,
// key and request, so that every attempt means the same booking: a UUIDv8.
func keyedID(req HoldRequest) uuid.UUID {
	sum := sha256.New()
	sum.Write(req.User[:])
	sum.Write([]byte(req.Key))
	sum.Write(req.Hash)
	id := uuid.UUID(sum.Sum(nil)[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// replay returns the booking that an earlier request with the same key made.
// open is where that booking would be, when the request is on record and its
// booking is not: it died, or is still under way.
func (s *Service) replay(ctx context.Context, req HoldRequest) (b Booking, found bool, open *Ref, err error) {
	ref, hash, found, err := s.store.FindKey(ctx, req.User, req.Key)
	if err != nil || !found {
		return b, false, nil, err
	}
	if !bytes.Equal(hash, req.Hash) {
		return b, false, nil, refuse(KeyReused)
	}
	rec, err := s.store.ReadBooking(ctx, ref, true)
	switch {
	case err != nil:
		return b, false, nil, err
	case rec.Revision == 0:
		return b, false, &ref, nil
	case rec.Status == Refused && len(req.Seats) == 0:
		return b, false, nil, refuse(NotEnoughSeats)
	case rec.Status == Refused:
		return b, false, nil, refuse(SeatsTaken, req.Seats...)
	}
	s.publish(rec)
	return asMade(rec.Booking), true, nil, nil
}

// refuseForGood closes the id of a booking before its key is answered with no:
// an earlier attempt under the key may still be under way. If that was faster
// its booking is the answer.
func (s *Service) refuseForGood(ctx context.Context, req HoldRequest, ref Ref, refusal *Refusal) (Booking, bool, error) {
	if err := s.fence(ctx, ref, func(r *Record) { r.UserID = req.User }); err != nil {
		return Booking{}, false, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	b, made, _, err := s.replay(ctx, req)
	if made {
		return b, true, nil
	}
	var closed *Refusal
	if err != nil && !errors.As(err, &closed) {
		return b, false, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return b, false, refusal
}

// asMade returns a booking as it was when it was made.
func asMade(b Booking) Booking {
	b.Status, b.Reason, b.ConfirmedAt, b.EndedAt, b.Payment = Held, "", nil, nil, nil
	return b
}

func (h *hold) check(now time.Time) error {
	if err := h.event.onSale(now); err != nil {
		return err
	}
	limit := min(MaxSeatsPerHold, h.event.MaxSeatsPerBuyer)
	if n := max(len(h.Seats), h.Quantity); n > limit {
		return &Refusal{Reason: TooManySeats, Limit: limit}
	}
	if len(h.Seats) == 0 {
		if _, ok := h.event.types[h.TicketType]; !ok {
			return refuse(UnknownTicket)
		}
		return nil
	}
	var unknown, blocked []SeatID
	for _, id := range h.Seats {
		switch {
		case !h.event.Has(id):
			unknown = append(unknown, id)
		case !h.event.forSale(id):
			blocked = append(blocked, id)
		}
	}
	if len(unknown) > 0 {
		return refuse(UnknownSeats, unknown...)
	}
	if len(blocked) > 0 {
		return refuse(SeatsTaken, blocked...)
	}
	return nil
}

// holdSeats holds the seats asked for. A hold in their way that is overdue is
// ended first, once.
func (s *Service) holdSeats(ctx context.Context, h *hold) (Booking, bool, error) {
	b, replayed, err := s.attempt(ctx, h)
	var r *Refusal
	if errors.As(err, &r) && r.Reason == SeatsTaken && s.endOverdue(ctx, h.sale, r.Seats) {
		return s.attempt(ctx, h)
	}
	return b, replayed, err
}

// holdBest holds the best seats that are free, looking again when somebody was
// faster.
func (s *Service) holdBest(ctx context.Context, h *hold) (Booking, bool, error) {
	if h.Key != "" {
		// Every attempt under a key must meet at one row, whatever its seats.
		sum := fnv.New32a()
		sum.Write(h.id[:])
		h.home = 1 + int(sum.Sum32()%uint32(h.event.BlockCount()))
	}
	for range attempts {
		seats, ok := h.sale.choose(h.event.types[h.TicketType], h.Quantity)
		if !ok {
			break
		}
		h.seats = seats
		b, replayed, err := s.attempt(ctx, h)
		h.sale.unclaim(seats)
		var r *Refusal
		if !errors.As(err, &r) || r.Reason != SeatsTaken {
			return b, replayed, err
		}
		for _, g := range groupByBlock(seats) {
			// The refusal says that the picture is old.
			if err := s.inventory.Refresh(ctx, BlockID{h.Event, g.Block}); err != nil {
				return b, false, err
			}
		}
	}
	return Booking{}, false, refuse(NotEnoughSeats)
}

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
	index := func() error {
		return s.store.IndexBooking(ctx, IndexEntry{rec.Ref(), h.User, now.UnixMilli()}, h.Key, h.Hash)
	}
	indexed := make(chan error, 1)
	if h.Key == "" {
		go func() { indexed <- index() }()
	} else {
		// The key is on record before anything is done under it: a later attempt
		// must know that there may be this one.
		if err := index(); err != nil {
			s.releaseLocks(ctx, h)
			return Booking{}, false, err
		}
		indexed <- nil
	}
	start := time.Now()
	err = s.commit(ctx, h, &rec)
	observe.Observe(ctx, lockDuration.WithLabelValues("commit", outcomeOf(err)), time.Since(start).Seconds())
	indexErr := <-indexed
	switch {
	case errors.Is(err, errExists):
		return s.alreadyHeld(ctx, h)
	case errors.Is(err, ErrUnknown):
		return Booking{}, false, err
	case err != nil:
		s.releaseLocks(ctx, h)
		return Booking{}, false, err
	case indexErr != nil:
		// Held, but not findable: its buyer must ask again under the same key.
		return Booking{}, false, fmt.Errorf("%w: index: %w", ErrUnknown, indexErr)
	}
	if !warm {
		s.locks.Settle(ctx, h.Event, []LockOutcome{{
			Booking: h.id, User: h.User, Seats: h.seats, State: HeldSeat, Deadline: rec.ExpiresAt.UnixMilli(),
		}})
	}
	s.publish(rec)
	return rec.Booking, false, nil
}

var errTwin = errors.New("another request with this key is under way")

// awaitTwin answers with the booking that a request with the same key, under
// way just now, is making.
func (s *Service) awaitTwin(ctx context.Context, h *hold) (Booking, bool, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 10*time.Millisecond, 200*time.Millisecond
	b, err := backoff.Retry(ctx, func() (Booking, error) {
		b, found, _, err := s.replay(ctx, h.HoldRequest)
		if err == nil && !found {
			err = errTwin
		}
		var r *Refusal
		if errors.As(err, &r) {
			err = backoff.Permanent(err)
		}
		return b, err
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(3*time.Second))
	var r *Refusal
	if err != nil && !errors.As(err, &r) {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return b, true, err
}

// record is the booking that the hold is to become.
func (h *hold) record(ctx context.Context, now time.Time) Record {
	groups := groupByBlock(h.seats)
	home := h.home
	if home == 0 {
		home = groups[0].Block
	}
	rec := Record{Revision: 1, UpdatedAt: now, Booking: Booking{
		ID: h.id, Home: BlockID{h.Event, home}, UserID: h.User, EventName: h.event.Name, StartsAt: h.event.StartsAt, Status: Held,
		Total: events.Money{Currency: h.event.Currency}, CreatedAt: now.Truncate(time.Millisecond),
		ExpiresAt: now.Add(time.Duration(h.event.HoldSeconds) * time.Second).Truncate(time.Millisecond),
	}}
	for _, id := range h.seats {
		seat := h.event.Describe(id)
		rec.Seats = append(rec.Seats, seat)
		rec.Total.Amount += seat.Price
	}
	rec.Outbox = []Message{message(ctx, now, events.TopicBookingCreated, events.TypeBookingCreated, events.BookingCreated{
		BookingID: h.id, EventID: h.Event, HomeBlock: home, UserID: h.User, Total: rec.Total,
		CreatedAt: rec.CreatedAt, ExpiresAt: rec.ExpiresAt,
	})}
	return rec
}

// lock takes the locks; warm is false when the store alone must decide.
func (s *Service) lock(ctx context.Context, h *hold, rec *Record) (warm bool, err error) {
	start := time.Now()
	answer, err := s.locks.Take(ctx, LockRequest{
		Event: h.Event, Booking: h.id, User: h.User, Seats: h.seats, Deadline: rec.ExpiresAt.UnixMilli(),
		Limit: h.event.MaxSeatsPerBuyer, Exclusive: h.home != 0,
	})
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

// checkLimit counts the buyer's seats in the store: what the locks do when
// they are there.
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
		if rec.Revision > 0 && rec.Status.Live() {
			held += len(rec.Seats)
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
func (s *Service) commit(ctx context.Context, h *hold, rec *Record) error {
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
	refused, err := s.committer.Commit(ctx, rec.Home, Change{Seats: atHome, Booking: &BookingChange{To: *rec}})
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

// alreadyHeld answers a hold whose booking's row was there: the same request,
// sent before. Seats of this attempt that the row does not list go back.
func (s *Service) alreadyHeld(ctx context.Context, h *hold) (Booking, bool, error) {
	again := h.record(ctx, s.clock.Now())
	ref := again.Ref()
	rec, err := s.store.ReadBooking(ctx, ref, true)
	if err != nil {
		return Booking{}, false, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	s.release(ctx, ref, groupByBlock(h.seats))
	if rec.Status == Refused {
		s.releaseLocks(ctx, h)
		return Booking{}, false, refuse(SeatsTaken, h.seats...)
	}
	s.publish(rec)
	return asMade(rec.Booking), true, nil
}

func (s *Service) releaseLocks(ctx context.Context, h *hold) {
	s.locks.Settle(ctx, h.Event, []LockOutcome{{Booking: h.id, User: h.User, Seats: h.seats, State: Available}})
}

func outcomeOf(err error) string {
	var r *Refusal
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &r):
		return "refused"
	case errors.Is(err, ErrUnknown):
		return "unknown"
	}
	return "failed"
}
