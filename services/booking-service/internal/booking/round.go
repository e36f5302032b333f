package booking

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// MaxSeatsPerHold limits a request, whatever the event allows a buyer.
const MaxSeatsPerHold = 50

// maxExpired limits the holds that one round expires.
const maxExpired = 1000

// Round decides commands in order: each against the state plus the changes of
// the commands before it. The state itself does not change until the round's
// operations are in the log.
type Round struct {
	// Operations are the operations that the round adds to the log.
	Operations []*logpb.Operation

	state *State
	now   time.Time
	at    int64
	// expired reports whether Expire has run.
	expired bool
	// The round's changes, as an overlay on the state.
	seats    map[uint32]*Booking
	bookings map[uint64]*Booking
	buyers   map[uuid.UUID]int
	scans    map[uuid.UUID]*logpb.Scanned
	admitted map[admission]*logpb.Scanned
	// queue is nil until the round changes the queue.
	queue *queueRound
}

// NewRound returns a round that makes its decisions as of now.
func (s *State) NewRound(now time.Time) *Round {
	return &Round{
		state: s, now: now, at: now.UnixMilli(), seats: map[uint32]*Booking{}, bookings: map[uint64]*Booking{},
		buyers: map[uuid.UUID]int{}, scans: map[uuid.UUID]*logpb.Scanned{}, admitted: map[admission]*logpb.Scanned{},
	}
}

// Decide decides a command. A definition must be the only command of its round.
func (r *Round) Decide(c *logpb.Command) *logpb.Answer {
	first := len(r.Operations)
	answer := r.decide(c)
	answer.Seq = r.state.Seq
	if len(r.Operations) > 0 {
		answer.Seq++ // it may depend on earlier decisions of the round
		for _, op := range r.Operations[first:] {
			op.Traceparent = c.GetTraceparent()
		}
	}
	return answer
}

func (r *Round) decide(c *logpb.Command) *logpb.Answer {
	switch c := c.GetKind().(type) {
	case *logpb.Command_Define:
		return r.define(c.Define)
	case *logpb.Command_Hold:
		r.Expire()
		return r.hold(c.Hold)
	case *logpb.Command_Cancel:
		r.Expire()
		return r.cancel(c.Cancel)
	case *logpb.Command_Payment:
		return r.pay(c.Payment)
	case *logpb.Command_Scan:
		return r.scan(c.Scan)
	case *logpb.Command_Expire:
		r.Expire()
		return &logpb.Answer{}
	case *logpb.Command_Arrive:
		return r.arrive(c.Arrive)
	case *logpb.Command_Leave:
		return r.leave(c.Leave)
	case *logpb.Command_Serve:
		return r.serve(c.Serve)
	case *logpb.Command_Control:
		return r.control(c.Control)
	case *logpb.Command_Invite:
		return r.invite(c.Invite)
	}
	return &logpb.Answer{Error: "unavailable"}
}

func refuse(reason Reason) *logpb.Answer { return &logpb.Answer{Refusal: string(reason)} }

func (r *Round) add(op *logpb.Operation) { r.Operations = append(r.Operations, op) }

func (r *Round) booking(own uint64) *Booking {
	if b, ok := r.bookings[own]; ok {
		return b
	}
	return r.state.bookings[own]
}

// edit returns a copy of a booking that the round may change.
func (r *Round) edit(b *Booking) *Booking {
	if known, ok := r.bookings[b.ID]; ok {
		return known
	}
	edited := *b
	r.bookings[b.ID] = &edited
	return &edited
}

func (r *Round) owner(seat uint32) *Booking {
	if len(r.seats) > 0 {
		if b, ok := r.seats[seat]; ok {
			return b
		}
	}
	return r.state.seats[seat]
}

// seatsOf returns the number of seats in a buyer's live bookings.
func (r *Round) seatsOf(user uuid.UUID) int {
	if n, ok := r.buyers[user]; ok {
		return n
	}
	if b := r.state.buyers[user]; b != nil {
		return b.seats
	}
	return 0
}

func (r *Round) define(c *logpb.Define) *logpb.Answer {
	s := r.state
	var plan *Plan
	if s.Event != nil {
		plan = s.Event.Plan
	}
	e, err := NewEvent(c.GetDefinition(), plan)
	switch {
	case err != nil || s.Event != nil && s.Event.EventID != e.EventID:
		return refuse(InvalidDefinition)
	case s.Event != nil && e.Version <= s.Event.Version:
		return &logpb.Answer{}
	}
	r.add(&logpb.Operation{Kind: &logpb.Operation_Defined{Defined: &logpb.Defined{Definition: c.GetDefinition(), At: r.at}}})
	return &logpb.Answer{}
}

// hold decides who gets seats: the first request gets them.
func (r *Round) hold(c *logpb.Hold) *logpb.Answer {
	user := id(c.GetUser())
	if b := r.booking(c.GetBooking()); b != nil {
		// The same request was sent again.
		if b.User != user || !bytes.Equal(b.RequestHash, c.GetRequestHash()) {
			return refuse(KeyReused)
		}
		return &logpb.Answer{Booking: b.asCreated().Encode(), Replayed: true}
	}
	e := r.state.Event
	if e == nil || e.EventID != id(c.GetEvent()) {
		return refuse(EventNotOnSale)
	}
	if reason := e.onSale(r.now); reason != "" {
		return refuse(reason)
	}
	if r.state.queueRequired(r.now) && !r.place(user).admitted(r.at) {
		return refuse(QueueRequired)
	}
	quantity := max(len(c.GetSeats()), int(c.GetQuantity()))
	if limit := min(MaxSeatsPerHold, e.MaxSeatsPerBuyer); quantity > limit {
		return &logpb.Answer{Refusal: string(TooManySeats), Limit: int32(limit)}
	}
	seats, refusal := r.seatsFor(e, c)
	if refusal != nil {
		return refusal
	}
	had := r.seatsOf(user)
	if had+quantity > e.MaxSeatsPerBuyer {
		return &logpb.Answer{Refusal: string(BuyerLimit), Limit: int32(e.MaxSeatsPerBuyer), Held: int32(had)}
	}
	op := &logpb.Held{
		Booking: c.GetBooking(), User: c.GetUser(), Holder: c.GetHolder(), Seats: seats, At: r.at,
		Expires: r.at + int64(e.HoldSeconds)*1000, RequestHash: c.GetRequestHash(),
	}
	r.add(&logpb.Operation{Kind: &logpb.Operation_Held{Held: op}})
	b := newBooking(op, e, r.state.latest(), r.state.Seq+1)
	r.bookings[b.ID] = b
	r.buyers[user] = had + quantity
	for _, n := range seats {
		r.seats[n] = b
	}
	return &logpb.Answer{Booking: b.Encode()}
}

// seatsFor returns the seats for a hold, all of them free.
func (r *Round) seatsFor(e *Event, c *logpb.Hold) ([]uint32, *logpb.Answer) {
	if len(c.GetSeats()) == 0 {
		ticketType, ok := e.types[c.GetTicketType()]
		if !ok {
			return nil, refuse(UnknownTicket)
		}
		seats := r.best(ticketType, int(c.GetQuantity()))
		if seats == nil {
			return nil, refuse(NotEnoughSeats)
		}
		return seats, nil
	}
	var taken []uint32
	for _, n := range c.GetSeats() {
		if int(n) >= e.Plan.Len() {
			return nil, refuse(UnknownSeats)
		}
		if e.ticketType(n) < 0 || r.owner(n) != nil {
			taken = append(taken, n)
		}
	}
	if len(taken) > 0 {
		return nil, &logpb.Answer{Refusal: string(SeatsTaken), Seats: taken}
	}
	return c.GetSeats(), nil
}

// cancel ends a buyer's booking; what was paid is refunded.
func (r *Round) cancel(c *logpb.Cancel) *logpb.Answer {
	b := r.booking(c.GetBooking())
	switch {
	case b == nil || b.Status == Unknown || b.User != id(c.GetUser()):
		return refuse(NotFound)
	case b.Status == Confirmed && (!r.now.Before(r.state.Event.StartsAt) || r.used(b)):
		return refuse(NotCancellable)
	case b.Status == Confirmed && c.GetHeldOnly():
		return refuse(NotRecent)
	case b.Status.Live():
		b = r.end(b, Cancelled, events.CancelledByBuyer)
	case b.Status != Cancelled || b.Reason != events.CancelledByBuyer:
		return refuse(NotCancellable)
	}
	return &logpb.Answer{Booking: b.Encode()}
}

// end ends a live booking.
func (r *Round) end(b *Booking, status Status, reason events.CancelReason) *Booking {
	r.add(&logpb.Operation{Kind: &logpb.Operation_Ended{Ended: &logpb.Ended{
		Booking: b.ID, Status: string(status), Reason: string(reason), At: r.at,
	}}})
	had := r.seatsOf(b.User)
	b = r.edit(b)
	b.end(status, reason, r.at, r.state.Seq+1)
	r.buyers[b.User] = had - len(b.Seats)
	for _, n := range b.Seats {
		r.seats[n] = nil
	}
	return b
}

// pay applies the outcome of a payment. A repeated message has no effect.
func (r *Round) pay(c *logpb.Payment) *logpb.Answer {
	b, payment := r.booking(c.GetBooking()), id(c.GetPayment())
	known := b != nil && b.Payment != nil && b.Payment.ID == payment
	switch c.GetOutcome() {
	case logpb.Payment_CONFIRMED:
		return r.paid(b, c, known)
	case logpb.Payment_FAILED:
		if b == nil {
			return refuse(NotFound)
		}
		if b.Status == Held && !known {
			r.add(&logpb.Operation{Kind: &logpb.Operation_Declined{Declined: &logpb.Declined{
				Booking: b.ID, Payment: c.GetPayment(), FailureCode: c.GetFailureCode(), At: r.at,
			}}})
			r.edit(b).setPayment(payment, PaymentDeclined, c.GetFailureCode(), r.state.Seq+1)
		}
	case logpb.Payment_REFUNDED:
		if b == nil {
			return refuse(NotFound)
		}
		if known && b.Payment.Status == PaymentRefunded || !known && !b.takesRefund() {
			return &logpb.Answer{}
		}
		if known && b.Status == Confirmed {
			// A refunded seat is not kept.
			b = r.end(b, Cancelled, events.CancelReason(c.GetReason()))
		}
		r.add(&logpb.Operation{Kind: &logpb.Operation_Refunded{Refunded: &logpb.Refunded{Booking: b.ID, Payment: c.GetPayment(), At: r.at}}})
		r.edit(b).setPayment(payment, PaymentRefunded, "", r.state.Seq+1)
	case logpb.Payment_UNSPECIFIED:
		return refuse(NotFound)
	}
	return &logpb.Answer{}
}

// paid decides a captured payment: a held booking is confirmed, even if its
// deadline has passed. A payment that no longer finds a live booking is recorded
// as late, for payment-service to refund. known means that the booking has this
// payment already. Refusal: SecondPayment.
func (r *Round) paid(b *Booking, c *logpb.Payment, known bool) *logpb.Answer {
	switch {
	case b == nil && r.state.Event == nil:
		return refuse(NotFound) // unknown event: there is no log to record a refund in
	case b != nil && b.Status == Held:
		r.add(&logpb.Operation{Kind: &logpb.Operation_Confirmed{Confirmed: &logpb.Confirmed{
			Booking: b.ID, Payment: c.GetPayment(), At: r.at,
		}}})
		r.edit(b).confirm(id(c.GetPayment()), r.at, r.state.Seq+1)
	case b != nil && b.Status == Confirmed && known: // repeated
	case b != nil && b.Status == Confirmed:
		return refuse(SecondPayment)
	case known && (b.Payment.Status == PaymentRefunding || b.Payment.Status == PaymentRefunded): // repeated
	default:
		r.add(&logpb.Operation{Kind: &logpb.Operation_PaidLate{PaidLate: &logpb.PaidLate{
			Booking: c.GetBooking(), Payment: c.GetPayment(), At: r.at,
		}}})
		if b == nil {
			b = &Booking{ID: c.GetBooking(), Status: Unknown, Event: r.state.Event}
			r.bookings[b.ID] = b
		}
		r.edit(b).setPayment(id(c.GetPayment()), PaymentRefunding, "", r.state.Seq+1)
	}
	return &logpb.Answer{}
}

// Expire ends the holds whose deadline has passed. A round decides its payments
// first (eventlog.urgency), so a payment that arrives with the expiry wins.
func (r *Round) Expire() {
	if r.expired || r.state.Event == nil {
		return
	}
	r.expired = true
	for n := range r.state.overdue(r.at, maxExpired) {
		b := r.booking(n)
		switch {
		case b.Status != Held:
		case b.Payment != nil && b.Payment.Status == PaymentDeclined:
			r.end(b, PaymentFailed, events.PaymentDeclined)
		default:
			r.end(b, Expired, events.HoldExpired)
		}
	}
}

// overdue yields up to limit holds whose deadline has passed. It walks the heap
// without changing it, because the round may yet lose its append.
func (s *State) overdue(now int64, limit int) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		todo := []int{0}
		for n := 0; len(todo) > 0 && n < limit; {
			i := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if i >= len(s.deadlines) || s.deadlines[i].Expires > now {
				continue
			}
			todo = append(todo, 2*i+1, 2*i+2)
			if b := s.deadlines[i]; b.Status == Held {
				n++
				if !yield(b.ID) {
					return
				}
			}
		}
	}
}

// Definition returns the JSON of a definition, as taken by Define.
func Definition(def events.EventChanged) ([]byte, error) { return json.Marshal(def) }
