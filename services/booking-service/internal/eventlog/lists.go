package eventlog

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// listPause is how often a log's bookings are written to the users' lists. This
// is not urgent: until then the replicas have them in memory.
const listPause = 5 * time.Second

// lists writes changed bookings to the users' lists, from its own cursor. Only
// the owner does this, so that replicas don't repeat each other's writes.
type lists struct {
	// written is the entry up to which the lists are written.
	written int64
	// done receives the new cursor when the running write ends.
	done     chan int64
	inFlight bool
	// next is the earliest time of the next write.
	next time.Time
}

// startLists starts to write the users' lists, if this replica owns the log.
func (l *eventLog) startLists() {
	o := &l.lists
	if o.inFlight || l.broken != nil || time.Now().Before(o.next) {
		return
	}
	if !l.owned() {
		o.written = unknownCursor
		return
	}
	if o.written == l.state.Seq {
		return
	}
	o.inFlight, o.next = true, time.Now().Add(listPause)
	from := o.written
	l.engine.loops.Go(func() {
		ctx, cancel := context.WithTimeout(l.engine.ctx, publishTimeout)
		defer cancel()
		upTo, err := l.writeLists(ctx, from)
		if err != nil {
			slog.Warn("write lists of bookings failed, retrying", "event", l.id, "from", upTo, "error", err)
		}
		o.done <- upTo
	})
}

// writeLists writes the bookings that changed after from, moves the cursor, and
// returns it.
func (l *eventLog) writeLists(ctx context.Context, from int64) (upTo int64, err error) {
	store := l.engine.store
	if from == unknownCursor {
		if _, from, err = store.Cursors(ctx, l.id); err != nil {
			return unknownCursor, err
		}
	}
	l.mu.RLock()
	upTo = l.state.Seq
	changed := l.state.ChangedSince(from)
	l.mu.RUnlock()
	rows := make([]UserBooking, len(changed))
	for i := range changed {
		b := &changed[i]
		data, err := EncodeListed(b)
		if err != nil {
			return from, err
		}
		rows[i] = UserBooking{User: b.User, Booking: b.FullID(), Seq: b.Seq, Data: data}
	}
	if err := store.SaveBookings(ctx, rows); err != nil {
		return from, err
	}
	if err := store.SetListed(ctx, l.id, upTo); err != nil {
		return from, err
	}
	return upTo, nil
}

// finishLists records the outcome of writing the lists.
func (l *eventLog) finishLists(upTo int64) { l.lists.written, l.lists.inFlight = upTo, false }

// ListedBooking is a booking in a user's list.
type ListedBooking struct {
	// Seq orders versions: the greater is newer.
	Seq     int64             `json:"seq"`
	Booking *booking.Document `json:"booking"`
}

// EncodeListed encodes a booking for the user's list.
func EncodeListed(b *booking.Booking) ([]byte, error) {
	return json.Marshal(ListedBooking{Seq: b.Seq, Booking: b.Document()})
}

// BookingsOf returns a user's bookings in the events in memory.
func (e *Engine) BookingsOf(user uuid.UUID) []ListedBooking {
	all := []ListedBooking{}
	e.Each(func(s *booking.State) {
		for _, b := range s.BookingsOf(user) {
			all = append(all, ListedBooking{Seq: b.Seq, Booking: b.Document()})
		}
	})
	return all
}
