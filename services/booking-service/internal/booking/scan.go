package booking

import (
	"bytes"
	"slices"
	"time"

	"github.com/google/uuid"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// ScanResult is the result of a scan.
type ScanResult string

// Results.
const (
	Admitted ScanResult = "admitted"
	// AlreadyUsed: another scan with the ticket was admitted.
	AlreadyUsed ScanResult = "already_used"
	// WrongEvent: a ticket of another event.
	WrongEvent ScanResult = "wrong_event"
	// NotValid: a ticket whose booking is not confirmed.
	NotValid ScanResult = "not_valid"
	// Forged: the code was not signed by us.
	Forged ScanResult = "forged"
)

// Scan is a line of an event's check-in log.
type Scan struct {
	ID     uuid.UUID
	Result ScanResult
	At     time.Time
	// AdmittedAt is when the other scan was admitted, with AlreadyUsed.
	AdmittedAt *time.Time
	// Ticket is uuid.Nil if the code was forged.
	Ticket uuid.UUID
	// Seat is nil unless the ticket is for this event.
	Seat *BookedSeat
	// Holder is the buyer's e-mail, or empty if the booking is unknown.
	Holder string
}

// scan decides about a ticket at the entrance. A repeated scan gets its first
// answer.
func (r *Round) scan(c *logpb.Scan) *logpb.Answer {
	e := r.state.Event
	if e == nil {
		return refuse(NotFound)
	}
	scanID := id(c.GetId())
	if known := r.findScan(scanID); known != nil {
		if !bytes.Equal(known.GetCodeHash(), c.GetCodeHash()) {
			return refuse(ScanReused)
		}
		return &logpb.Answer{Scan: known, Replayed: true}
	}
	op := &logpb.Scanned{Id: c.GetId(), CodeHash: c.GetCodeHash(), Scanner: c.GetScanner(), Ticket: c.GetTicket(), At: r.at}
	op.Result = string(r.evaluate(c, op))
	r.add(&logpb.Operation{Kind: &logpb.Operation_Scanned{Scanned: op}})
	r.scans[scanID] = op
	if op.GetResult() == string(Admitted) {
		r.admitted[admission{op.GetBooking(), op.GetSeatPlusOne() - 1}] = op
	}
	return &logpb.Answer{Scan: op}
}

// evaluate returns the result of a scan and records the ticket's booking and
// seat in op.
func (r *Round) evaluate(c *logpb.Scan, op *logpb.Scanned) ScanResult {
	e := r.state.Event
	if len(c.GetTicket()) == 0 {
		return Forged
	}
	if id(c.GetEvent()) != e.EventID {
		return WrongEvent
	}
	seat, ok := e.Plan.Position(SeatID{int(c.GetBlock()), int(c.GetIndex())})
	if !ok {
		return NotValid
	}
	op.SeatPlusOne = seat + 1
	full := id(c.GetBooking())
	b := r.booking(OwnHalf(full))
	if b == nil || b.Status == Unknown || b.FullID() != full || !b.has(seat) {
		return NotValid
	}
	op.Booking = b.ID
	if b.Status != Confirmed {
		return NotValid
	}
	if other := r.admittedBy(admission{b.ID, seat}); other != nil {
		op.AdmittedAt = other.GetAt()
		return AlreadyUsed
	}
	return Admitted
}

func (r *Round) findScan(id uuid.UUID) *logpb.Scanned {
	if op := r.scans[id]; op != nil {
		return op
	}
	return r.state.findScan(id)
}

func (s *State) findScan(id uuid.UUID) *logpb.Scanned {
	at, found := s.searchScan(id)
	if !found {
		return nil
	}
	return s.scans[at]
}

func (s *State) searchScan(id uuid.UUID) (at int, found bool) {
	return slices.BinarySearchFunc(s.scans, id[:], func(scan *logpb.Scanned, id []byte) int { return bytes.Compare(scan.GetId(), id) })
}

func (r *Round) admittedBy(a admission) *logpb.Scanned {
	if op := r.admitted[a]; op != nil {
		return op
	}
	return r.state.admitted[a]
}

// used reports whether any of the booking's tickets was admitted.
func (r *Round) used(b *Booking) bool {
	return slices.ContainsFunc(b.Seats, func(seat uint32) bool { return r.admittedBy(admission{b.ID, seat}) != nil })
}

// Scan returns a scan as shown in the check-in log.
func (s *State) Scan(op *logpb.Scanned) Scan {
	scan := Scan{
		ID: id(op.GetId()), Result: ScanResult(op.GetResult()), At: millis(op.GetAt()), AdmittedAt: optional(op.GetAdmittedAt()), Ticket: id(op.GetTicket()),
	}
	e := s.Event
	if b := s.bookings[op.GetBooking()]; b != nil && op.GetBooking() != 0 {
		scan.Holder, e = b.Holder, b.Event
	}
	if n := op.GetSeatPlusOne(); n > 0 {
		seat := e.Describe(n - 1)
		scan.Seat = &seat
	}
	return scan
}

// Scans returns up to limit scans, newest first, whose ids are less than
// before; uuid.Max is greater than all.
func (s *State) Scans(before uuid.UUID, limit int) []Scan {
	at, _ := s.searchScan(before)
	var page []Scan
	for at--; at >= 0 && len(page) < limit; at-- {
		page = append(page, s.Scan(s.scans[at]))
	}
	return page
}
