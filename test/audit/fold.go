package audit

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// fold is the state of an event replayed from its log, following the
// description of the operations in api/log/log.proto. It shares no code with
// booking-service. A forbidden operation is reported and then applied anyway.
type fold struct {
	event uuid.UUID
	// seq is the last entry.
	seq   int64
	plan  []planSeat
	limit int
	// prices of the categories for sale, under the current definition.
	prices map[string]int64
	owners []*StoredBooking
	// bookings in order of creation.
	bookings []*StoredBooking
	byID     map[uint64]*StoredBooking
	// seatsOf counts each user's seats.
	seatsOf map[uuid.UUID]int
	// entries maps entry ids to their sequence numbers.
	entries  map[string]int64
	admitted map[ticket]bool

	soldTwice, inconsistent []string
}

type planSeat struct {
	id, category string
	blocked      bool
}

type ticket struct {
	booking uint64
	seat    uint32
}

func newFold(event uuid.UUID) *fold {
	return &fold{event: event, byID: map[uint64]*StoredBooking{}, seatsOf: map[uuid.UUID]int{}, entries: map[string]int64{}, admitted: map[ticket]bool{}}
}

// apply applies an entry. Error: the entry can't be decoded.
func (f *fold) apply(seq int64, data []byte) error {
	after := f.seq
	f.seq = seq
	if seq != after+1 {
		f.inconsistency("it comes after entry %d", after)
	}
	var entry logpb.Entry
	if err := proto.Unmarshal(data, &entry); err != nil {
		return fmt.Errorf("entry %d: %w", seq, err)
	}
	if first, again := f.entries[string(entry.GetId())]; again {
		f.inconsistency("the entry is the same as entry %d", first)
	}
	f.entries[string(entry.GetId())] = seq
	for _, op := range entry.GetOperations() {
		if err := f.applyOperation(op); err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
	}
	return nil
}

func (f *fold) inconsistency(format string, arguments ...any) {
	f.inconsistent = append(f.inconsistent, fmt.Sprintf("entry %d: ", f.seq)+fmt.Sprintf(format, arguments...))
}

func (f *fold) applyOperation(op *logpb.Operation) error {
	switch op := op.GetKind().(type) {
	case *logpb.Operation_Defined:
		return f.define(op.Defined)
	case *logpb.Operation_Held:
		f.hold(op.Held)
	case *logpb.Operation_Confirmed:
		f.confirm(op.Confirmed)
	case *logpb.Operation_Declined:
		if b := f.changed(op.Declined.GetBooking(), "declined", "held"); b != nil {
			b.Payment = &BookingPayment{id(op.Declined.GetPayment()), "failed"}
		}
	case *logpb.Operation_Ended:
		f.end(op.Ended)
	case *logpb.Operation_PaidLate:
		f.payLate(op.PaidLate)
	case *logpb.Operation_Refunded:
		f.refund(op.Refunded)
	case *logpb.Operation_Scanned:
		f.scan(op.Scanned)
	case *logpb.Operation_Seeded, *logpb.Operation_Joined, *logpb.Operation_Drawn, *logpb.Operation_Served, *logpb.Operation_Entered,
		*logpb.Operation_Left, *logpb.Operation_Switched, *logpb.Operation_Controlled, *logpb.Operation_Invited:
		// The queue owns no seats.
	default:
		return fmt.Errorf("unknown operation: %v", op)
	}
	return nil
}

func (f *fold) define(op *logpb.Defined) error {
	var def events.EventChanged
	if err := json.Unmarshal(op.GetDefinition(), &def); err != nil {
		return fmt.Errorf("definition: %w", err)
	}
	if def.EventID != f.event {
		return fmt.Errorf("definition of another event: %s", def.EventID)
	}
	if f.plan == nil {
		f.plan = seatPlan(def.Blocks)
		f.owners = make([]*StoredBooking, len(f.plan))
	}
	f.prices, f.limit = map[string]int64{}, def.MaxSeatsPerBuyer
	for _, t := range def.TicketTypes {
		f.prices[t.Category] = t.Price
	}
	if def.Status != events.StatusCancelled {
		return nil
	}
	for _, b := range f.bookings {
		if b.Live() {
			f.release(b, "cancelled", "event_cancelled", op.GetAt())
		}
	}
	return nil
}

// seatPlan lists the seats by position: blocks in order, then by index.
func seatPlan(blocks []events.Block) []planSeat {
	var plan []planSeat
	for n, block := range blocks {
		index := 0
		for _, row := range block.Rows {
			first := len(plan)
			for _, run := range row.Runs {
				for range run.Count {
					plan = append(plan, planSeat{id: fmt.Sprintf("%d-%d", n+1, index), category: run.Category})
					index++
				}
			}
			for _, offset := range row.Blocked {
				plan[first+offset].blocked = true
			}
		}
	}
	return plan
}

func (f *fold) hold(op *logpb.Held) {
	b := &StoredBooking{
		ID: f.bookingID(op.GetBooking()), UserID: id(op.GetUser()), Status: "held",
		CreatedAt: at(op.GetAt()), ExpiresAt: at(op.GetExpires()), seq: f.seq,
	}
	if f.byID[op.GetBooking()] != nil {
		f.inconsistency("booking %s is held again", b.ID)
		return
	}
	f.byID[op.GetBooking()] = b
	f.bookings = append(f.bookings, b)
	for _, n := range op.GetSeats() {
		if int(n) >= len(f.plan) {
			f.inconsistency("booking %s has seat %d of %d", b.ID, n, len(f.plan))
			continue
		}
		seat := f.plan[n]
		price, forSale := f.prices[seat.category]
		if !forSale || seat.blocked {
			f.inconsistency("booking %s has seat %s, which is not for sale", b.ID, seat.id)
		}
		b.Total += price
		b.Seats = append(b.Seats, seat.id)
		b.positions = append(b.positions, n)
		f.assign(b, n)
	}
	if owned := f.seatsOf[b.UserID]; owned > f.limit {
		f.inconsistency("with booking %s user %s has %d seats, who may have %d", b.ID, b.UserID, owned, f.limit)
	}
}

func (f *fold) assign(b *StoredBooking, position uint32) {
	if f.owners[position] != nil && !slices.Contains(f.soldTwice, f.plan[position].id) {
		f.soldTwice = append(f.soldTwice, f.plan[position].id)
	}
	f.owners[position] = b
	f.seatsOf[b.UserID]++
}

func (f *fold) confirm(op *logpb.Confirmed) {
	b := f.changed(op.GetBooking(), "confirmed", "held")
	if b == nil {
		return
	}
	if !b.Live() { // it is confirmed anyway and owns its seats again
		for _, n := range b.positions {
			f.assign(b, n)
		}
	}
	confirmed := at(op.GetAt())
	b.Status, b.ConfirmedAt, b.Payment = "confirmed", &confirmed, &BookingPayment{id(op.GetPayment()), "succeeded"}
}

func (f *fold) end(op *logpb.Ended) {
	b := f.changed(op.GetBooking(), "ended", "held", "confirmed")
	if b == nil {
		return
	}
	overdue := op.GetStatus() == "expired" || op.GetStatus() == "payment_failed"
	switch {
	case overdue && b.Status == "confirmed":
		f.inconsistency("booking %s is confirmed and becomes %s", b.ID, op.GetStatus())
	case overdue && at(op.GetAt()).Before(b.ExpiresAt):
		f.inconsistency("booking %s becomes %s before its deadline", b.ID, op.GetStatus())
	case !overdue && op.GetStatus() != "cancelled":
		f.inconsistency("booking %s ends with the status %q", b.ID, op.GetStatus())
	}
	f.release(b, op.GetStatus(), op.GetReason(), op.GetAt())
}

// release ends a booking and frees its seats.
func (f *fold) release(b *StoredBooking, status, reason string, millis int64) {
	if b.Live() {
		f.seatsOf[b.UserID] -= len(b.positions)
	}
	ended := at(millis)
	b.Status, b.Reason, b.EndedAt, b.seq = status, reason, &ended, f.seq
	for _, n := range b.positions {
		if f.owners[n] == b {
			f.owners[n] = nil
		}
	}
	if b.Payment != nil && b.Payment.Status == "succeeded" {
		b.Payment.Status = "refunding"
	}
}

func (f *fold) payLate(op *logpb.PaidLate) {
	b := f.byID[op.GetBooking()]
	if b == nil {
		// Only its payment is known.
		b = &StoredBooking{ID: f.bookingID(op.GetBooking()), Status: "unknown"}
		f.byID[op.GetBooking()] = b
		f.bookings = append(f.bookings, b)
	}
	if b.Live() {
		f.inconsistency("booking %s is %s and its payment is late", b.ID, b.Status)
	}
	b.Payment, b.seq = &BookingPayment{id(op.GetPayment()), "refunding"}, f.seq
}

func (f *fold) refund(op *logpb.Refunded) {
	b := f.changed(op.GetBooking(), "refunded", "held", "expired", "payment_failed", "cancelled", "unknown")
	if b == nil {
		return
	}
	// If a payment was captured after the booking had ended, the log may have
	// only its refund.
	late := !b.Live() && (b.Payment == nil || b.Payment.Status == "failed")
	if payment := id(op.GetPayment()); !late && (b.Payment == nil || b.Payment.ID != payment) {
		f.inconsistency("booking %s gets back the payment %s, which is not its own", b.ID, payment)
	}
	b.Payment = &BookingPayment{id(op.GetPayment()), "refunded"}
}

func (f *fold) scan(op *logpb.Scanned) {
	if op.GetResult() != "admitted" {
		return
	}
	b := f.byID[op.GetBooking()]
	if b == nil || b.Status != "confirmed" || op.GetSeatPlusOne() == 0 || !slices.Contains(b.positions, op.GetSeatPlusOne()-1) {
		f.inconsistency("a ticket of booking %s is admitted, which has not bought it", f.bookingID(op.GetBooking()))
		return
	}
	t := ticket{op.GetBooking(), op.GetSeatPlusOne() - 1}
	if f.admitted[t] {
		f.inconsistency("the ticket of booking %s for seat %s is admitted twice", b.ID, f.plan[t.seat].id)
	}
	f.admitted[t] = true
}

// changed returns the booking that an operation changes, or nil if there is
// none. The booking must be in one of statuses.
func (f *fold) changed(own uint64, becomes string, statuses ...string) *StoredBooking {
	b := f.byID[own]
	if b == nil {
		f.inconsistency("booking %s is %s and was never held", f.bookingID(own), becomes)
		return nil
	}
	if !slices.Contains(statuses, b.Status) {
		f.inconsistency("booking %s is %s while it is %s", b.ID, becomes, b.Status)
	}
	b.seq = f.seq
	return b
}

// seatOwners returns each seat's owner, by the seat's id.
func (f *fold) seatOwners() map[string]uuid.UUID {
	owners := map[string]uuid.UUID{}
	for n, b := range f.owners {
		owners[f.plan[n].id] = uuid.Nil
		if b != nil {
			owners[f.plan[n].id] = b.ID
		}
	}
	return owners
}

// bookingID joins the halves of a booking's id.
func (f *fold) bookingID(own uint64) uuid.UUID {
	whole := f.event
	binary.BigEndian.PutUint64(whole[8:], own)
	return whole
}

// id returns the UUID in 16 bytes, or the zero UUID for any other length.
func id(bytes []byte) uuid.UUID {
	u, err := uuid.FromBytes(bytes)
	if err != nil {
		return uuid.Nil
	}
	return u
}

func at(millis int64) time.Time { return time.UnixMilli(millis) }
