package booking

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/observe"
)

// MaxSeatsPerHold bounds a request, whatever the event allows a buyer.
const MaxSeatsPerHold = 50

// attempts to find other seats when the chosen ones went to somebody else.
const attempts = 8

// HoldRequest asks for seats by id, or for the best quantity of a ticket type.
type HoldRequest struct {
	User uuid.UUID
	// Holder is the user's e-mail.
	Holder string
	Event  uuid.UUID
	Seats  []SeatID
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
	holdsInFlight.Inc()
	defer func() {
		holdsInFlight.Dec()
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
	for attempt := range attempts {
		// Other replicas choose the same as long as they don't hear of each other.
		seats, ok := h.sale.choose(h.event.types[h.TicketType], h.Quantity, rand.N(1<<attempt))
		if !ok {
			return Booking{}, false, refuse(NotEnoughSeats)
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
	return Booking{}, false, errors.New("others were faster, again and again")
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
