package booking

import (
	"bytes"
	"container/heap"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// ErrUnknownOperation means that the log has an operation of a newer version:
// the event must not be served.
var ErrUnknownOperation = errors.New("unknown operation in the log")

// State is the state of one event after entry Seq of its log.
type State struct {
	// Seq is 0 before the first entry.
	Seq int64
	// Event is the current definition, or nil before the first entry.
	Event *Event
	// Oversold counts seats that the log assigned while they had an owner. It
	// must stay 0.
	Oversold int
	// Changed lists the seats whose state the last Apply changed.
	Changed []SeatChange

	definitions []*Event
	// seats has the live booking that owns each seat, by position.
	seats    []*Booking
	bookings map[uint64]*Booking
	buyers   map[uuid.UUID]*buyer
	// free counts the available seats of each ticket type in each block.
	free [][]int
	// held and sold count seats, live counts the bookings that have them.
	held, sold, live int
	deadlines        deadlines
	// scans are ordered by id.
	scans    []*logpb.Scanned
	admitted map[admission]*logpb.Scanned
	// queue is nil if the event never had one.
	queue *queue
}

// SeatChange is a seat's new state.
type SeatChange struct {
	Position uint32
	State    SeatState
}

type buyer struct {
	// seats counts the seats of live bookings.
	seats    int
	bookings []*Booking
}

type admission struct {
	booking uint64
	seat    uint32
}

// NewState returns the state of an empty log.
func NewState() *State {
	return &State{bookings: map[uint64]*Booking{}, buyers: map[uuid.UUID]*buyer{}, admitted: map[admission]*logpb.Scanned{}}
}

// cancelled reports whether the event was cancelled.
func (s *State) cancelled() bool { return s.Event != nil && s.Event.Status == events.StatusCancelled }

// Booking returns a booking by its own half, or nil if there is none.
func (s *State) Booking(own uint64) *Booking {
	if b := s.bookings[own]; b != nil && b.Status != Unknown {
		return b
	}
	return nil
}

// BookingsOf returns a user's bookings in order of creation.
func (s *State) BookingsOf(user uuid.UUID) []*Booking {
	if b := s.buyers[user]; b != nil {
		return b.bookings
	}
	return nil
}

// Open reports whether the event has holds that will expire.
func (s *State) Open() bool { return s.held > 0 }

// Decode returns a booking that another replica has encoded.
func (s *State) Decode(p *logpb.Booking) (*Booking, error) {
	if int(p.GetDefinition()) >= len(s.definitions) {
		return nil, fmt.Errorf("booking of definition %d of %d", p.GetDefinition(), len(s.definitions))
	}
	b := &Booking{
		ID: p.GetId(), User: id(p.GetUser()), Holder: p.GetHolder(), Status: Status(p.GetStatus()), Reason: events.CancelReason(p.GetReason()),
		Seats: p.GetSeats(), Event: s.definitions[p.GetDefinition()], definition: p.GetDefinition(), Created: p.GetCreated(), Expires: p.GetExpires(),
		ConfirmedAt: p.GetConfirmed(), EndedAt: p.GetEnded(), RequestHash: p.GetRequestHash(), Seq: p.GetSeq(),
	}
	if len(p.GetPayment()) > 0 {
		b.Payment = &Payment{ID: id(p.GetPayment()), Status: p.GetPaymentStatus(), FailureCode: p.GetFailureCode()}
	}
	return b, nil
}

// SeatState returns the state of a seat as buyers see it.
func (s *State) SeatState(position uint32) SeatState {
	b := s.seats[position]
	switch {
	case b == nil && (s.cancelled() || s.Event.ticketType(position) < 0):
		return Blocked
	case b == nil:
		return Available
	case b.Status == Confirmed:
		return Sold
	}
	return HeldSeat
}

// Apply advances the state to entry seq, which must be the next one. After an
// error the state must not be used.
func (s *State) Apply(seq int64, entry *logpb.Entry) error {
	if seq != s.Seq+1 {
		return fmt.Errorf("entry %d after %d", seq, s.Seq)
	}
	s.Seq, s.Changed = seq, s.Changed[:0]
	for _, op := range entry.GetOperations() {
		if err := s.apply(op); err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
	}
	return nil
}

func (s *State) apply(op *logpb.Operation) error {
	switch op := op.GetKind().(type) {
	case *logpb.Operation_Defined:
		return s.define(op.Defined)
	case *logpb.Operation_Held:
		return s.hold(op.Held)
	case *logpb.Operation_Confirmed:
		return s.with(op.Confirmed.GetBooking(), func(b *Booking) {
			s.held -= len(b.Seats)
			s.sold += len(b.Seats)
			b.confirm(id(op.Confirmed.GetPayment()), op.Confirmed.GetAt(), s.Seq)
			s.change(b.Seats)
		})
	case *logpb.Operation_Declined:
		return s.with(op.Declined.GetBooking(), func(b *Booking) {
			b.setPayment(id(op.Declined.GetPayment()), PaymentDeclined, op.Declined.GetFailureCode(), s.Seq)
		})
	case *logpb.Operation_Ended:
		return s.with(op.Ended.GetBooking(), func(b *Booking) {
			s.end(b, Status(op.Ended.GetStatus()), events.CancelReason(op.Ended.GetReason()), op.Ended.GetAt())
		})
	case *logpb.Operation_PaidLate:
		late := op.PaidLate
		b := s.bookings[late.GetBooking()]
		if b == nil {
			b = &Booking{ID: late.GetBooking(), Status: Unknown, Event: s.Event, definition: s.latest(), Created: late.GetAt(), EndedAt: late.GetAt()}
			s.bookings[b.ID] = b
		}
		b.setPayment(id(late.GetPayment()), PaymentRefunding, "", s.Seq)
		return nil
	case *logpb.Operation_Refunded:
		return s.with(op.Refunded.GetBooking(), func(b *Booking) {
			b.setPayment(id(op.Refunded.GetPayment()), PaymentRefunded, "", s.Seq)
		})
	case *logpb.Operation_Scanned:
		s.scan(op.Scanned)
		return nil
	}
	if !s.applyQueue(op) {
		return ErrUnknownOperation
	}
	return nil
}

// with changes a booking that an operation names. Error: there is no such booking.
func (s *State) with(own uint64, change func(*Booking)) error {
	b := s.bookings[own]
	if b == nil {
		return fmt.Errorf("unknown booking %016x", own)
	}
	change(b)
	return nil
}

// latest is the number of the current definition.
func (s *State) latest() uint32 { return uint32(len(s.definitions) - 1) }

func (s *State) define(op *logpb.Defined) error {
	if err := s.addDefinition(op.GetDefinition()); err != nil {
		return err
	}
	s.countFree() // before seats are freed, which are counted by the new ticket types
	if s.cancelled() {
		for _, b := range s.bookings {
			if b.Status.Live() {
				s.end(b, Cancelled, events.EventCancelled, op.GetAt())
			}
		}
	}
	for n := range s.seats {
		s.Changed = append(s.Changed, SeatChange{uint32(n), s.SeatState(uint32(n))})
	}
	return nil
}

func (s *State) addDefinition(definition []byte) error {
	var plan *Plan
	if s.Event != nil {
		plan = s.Event.Plan
	}
	e, err := NewEvent(definition, plan)
	if err != nil {
		return err
	}
	if plan == nil {
		s.seats = make([]*Booking, e.Plan.Len())
	}
	s.Event = e
	s.definitions = append(s.definitions, e)
	return nil
}

// countFree recounts the available seats: a definition may change which seats
// are for sale.
func (s *State) countFree() {
	s.free = make([][]int, len(s.Event.Plan.Blocks))
	for n, block := range s.Event.Plan.Blocks {
		s.free[n] = make([]int, len(s.Event.TicketTypes))
		for i := range block.Count {
			position := uint32(block.Start + i)
			if t := s.Event.ticketType(position); t >= 0 && s.seats[position] == nil {
				s.free[n][t]++
			}
		}
	}
}

func (s *State) hold(op *logpb.Held) error {
	if s.Event == nil {
		return errors.New("a hold before the sale")
	}
	b := newBooking(op, s.Event, s.latest(), s.Seq)
	for _, n := range b.Seats {
		if int(n) >= len(s.seats) {
			return fmt.Errorf("no seat %d", n)
		}
		if s.seats[n] != nil {
			s.Oversold++
		}
	}
	s.add(b)
	s.change(b.Seats)
	s.renew(b.User, op.GetAt())
	return nil
}

func newBooking(op *logpb.Held, e *Event, definition uint32, seq int64) *Booking {
	return &Booking{
		ID: op.GetBooking(), User: id(op.GetUser()), Holder: op.GetHolder(), Status: Held, Seats: op.GetSeats(), Event: e, definition: definition,
		Created: op.GetAt(), Expires: op.GetExpires(), RequestHash: op.GetRequestHash(), Seq: seq,
	}
}

// add adds a booking and, if it is live, makes it the owner of its seats.
func (s *State) add(b *Booking) {
	s.bookings[b.ID] = b
	if b.Status == Unknown {
		return
	}
	of := s.buyers[b.User]
	if of == nil {
		of = &buyer{}
		s.buyers[b.User] = of
	}
	of.bookings = append(of.bookings, b)
	if !b.Status.Live() {
		return
	}
	of.seats += len(b.Seats)
	s.live++
	if b.Status == Held {
		s.held += len(b.Seats)
		heap.Push(&s.deadlines, b)
	} else {
		s.sold += len(b.Seats)
	}
	s.assign(b.Seats, b, -1)
}

// assign sets the booking of seats, nil for none. by is 1 when they become free
// and -1 when they are taken.
func (s *State) assign(seats []uint32, b *Booking, by int) {
	for _, n := range seats {
		s.seats[n] = b
		if t := s.Event.ticketType(n); t >= 0 && s.free != nil {
			s.free[s.Event.Plan.block(n)][t] += by
		}
	}
}

func (s *State) end(b *Booking, status Status, reason events.CancelReason, at int64) {
	if b.Status == Held {
		s.held -= len(b.Seats)
	} else {
		s.sold -= len(b.Seats)
	}
	s.live--
	b.end(status, reason, at, s.Seq)
	s.assign(b.Seats, nil, 1)
	s.buyers[b.User].seats -= len(b.Seats)
	s.change(b.Seats)
}

// change lists seats whose state an entry has changed.
func (s *State) change(seats []uint32) {
	for _, n := range seats {
		s.Changed = append(s.Changed, SeatChange{n, s.SeatState(n)})
	}
}

func (s *State) scan(op *logpb.Scanned) {
	at, _ := slices.BinarySearchFunc(s.scans, op.GetId(), func(scan *logpb.Scanned, id []byte) int { return bytes.Compare(scan.GetId(), id) })
	s.scans = slices.Insert(s.scans, at, op)
	if op.GetResult() == string(Admitted) {
		s.admitted[admission{op.GetBooking(), op.GetSeatPlusOne() - 1}] = op
	}
}

// id returns the UUID in 16 bytes, or uuid.Nil if b is empty.
func id(b []byte) uuid.UUID {
	u, _ := uuid.FromBytes(b)
	return u
}

// deadlines is a heap of holds by deadline. Holds that have ended are dropped
// when they reach the top.
type deadlines []*Booking

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].Expires < d[j].Expires }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push implements heap.Interface.
func (d *deadlines) Push(b any) { *d = append(*d, b.(*Booking)) } //nolint:forcetypeassert // heap pushes what it is given

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := (*d)[len(*d)-1]
	(*d)[len(*d)-1] = nil
	*d = (*d)[:len(*d)-1]
	return last
}

// NextDeadline returns the earliest deadline of a hold in Unix milliseconds. ok
// is false if nothing is held.
func (s *State) NextDeadline() (ms int64, ok bool) {
	for len(s.deadlines) > 0 {
		if s.deadlines[0].Status == Held {
			return s.deadlines[0].Expires, true
		}
		heap.Pop(&s.deadlines)
	}
	return 0, false
}
