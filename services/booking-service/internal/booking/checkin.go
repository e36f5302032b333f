package booking

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// ScanResult is what a scan came to.
type ScanResult string

// Results.
const (
	Admitted ScanResult = "admitted"
	// AlreadyUsed: another scan was admitted with the ticket.
	AlreadyUsed ScanResult = "already_used"
	// WrongEvent: a ticket of another event.
	WrongEvent ScanResult = "wrong_event"
	// NotValid: a ticket whose booking is no longer confirmed.
	NotValid ScanResult = "not_valid"
	// Forged: none of our codes.
	Forged ScanResult = "forged"
)

var checkIns = func() *prometheus.CounterVec {
	counter := promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "check_ins_total", Help: "Scans of tickets at the doors by what they came to, those sent again left out.",
	}, []string{"result"})
	for _, r := range []ScanResult{Admitted, AlreadyUsed, WrongEvent, NotValid, Forged} {
		counter.WithLabelValues(string(r))
	}
	return counter
}()

// Ticket is what a code says, signed by us.
type Ticket struct {
	ID, Booking, Event uuid.UUID
	Seat               SeatID
}

// ScanRequest is a code at a door.
type ScanRequest struct {
	// ID is a UUIDv7 that the scanner has chosen: one scan, however often it is sent.
	ID uuid.UUID
	// CodeHash tells the codes apart.
	CodeHash []byte
	// Ticket is nil when the code is none of ours.
	Ticket *Ticket
	// Scanner is the user who scans.
	Scanner uuid.UUID
}

// CheckIn is the proof that a ticket's holder is in.
type CheckIn struct {
	Ticket uuid.UUID
	// Scan is the one that was admitted.
	Scan uuid.UUID
	// At has milliseconds.
	At time.Time
	// Scanner is the user who scanned.
	Scanner uuid.UUID
}

// Scan is a line of the log of an event's doors.
type Scan struct {
	ID, Event uuid.UUID
	CodeHash  []byte
	Result    ScanResult
	// At has milliseconds.
	At time.Time
	// AdmittedAt is when another scan was admitted, with AlreadyUsed.
	AdmittedAt *time.Time
	// Ticket is uuid.Nil when the code was forged.
	Ticket uuid.UUID
	// Seat is nil unless the ticket is one of this event.
	Seat *BookedSeat
	// Holder is the buyer's e-mail, empty when the booking is not known.
	Holder  string
	Scanner uuid.UUID
}

// CheckIn decides about a scan and logs it. A scan that is in the log gets its
// line again, and replayed. Errors: ScanReused; one that wraps ErrUnknown, after
// which the same scan has to be sent again; any other, after which it may be.
func (s *Service) CheckIn(ctx context.Context, e *Event, req ScanRequest) (scan Scan, replayed bool, err error) {
	scan, found, err := s.store.FindScan(ctx, e.ID(), req.ID)
	if err != nil {
		return Scan{}, false, err
	}
	if found {
		if !bytes.Equal(scan.CodeHash, req.CodeHash) {
			return Scan{}, false, refuse(ScanReused)
		}
		return scan, true, nil
	}
	scan = Scan{
		ID: req.ID, Event: e.ID(), CodeHash: req.CodeHash, At: s.clock.Now().Truncate(time.Millisecond), Scanner: req.Scanner,
	}
	if err := s.judge(ctx, e, req.Ticket, &scan); err != nil {
		return Scan{}, false, err
	}
	if err := s.store.SaveScan(ctx, scan); err != nil {
		// Whoever was admitted is in: the same scan finds that out, another would not.
		return Scan{}, false, fmt.Errorf("%w: log of scans: %w", ErrUnknown, err)
	}
	checkIns.WithLabelValues(string(scan.Result)).Inc()
	return scan, false, nil
}

// judge fills in what a scan comes to.
func (s *Service) judge(ctx context.Context, e *Event, t *Ticket, scan *Scan) error {
	if t == nil {
		scan.Result = Forged
		return nil
	}
	scan.Ticket = t.ID
	if t.Event != e.ID() {
		scan.Result = WrongEvent
		return nil
	}
	if !e.Has(t.Seat) {
		scan.Result = NotValid
		return nil
	}
	described := e.Describe(t.Seat)
	scan.Seat = &described
	seat, err := s.seatOf(ctx, e, t)
	if err != nil {
		return err
	}
	if seat.Owner != t.Booking {
		scan.Result = NotValid
		return nil
	}
	home := BlockID{e.ID(), int(seat.Home)}
	rec, err := s.store.ReadBooking(ctx, Ref{home, t.Booking}, true)
	if err != nil {
		return err
	}
	listed := slices.IndexFunc(rec.Seats, func(b BookedSeat) bool { return b.ID == t.Seat })
	scan.Holder = rec.Holder
	if rec.Status != Confirmed || listed < 0 {
		scan.Result = NotValid
		return nil
	}
	scan.Seat = &rec.Seats[listed]
	stands, err := s.store.Admit(ctx, home, CheckIn{Ticket: t.ID, Scan: scan.ID, At: scan.At, Scanner: scan.Scanner})
	if err != nil {
		return err
	}
	if stands.Scan != scan.ID {
		scan.Result, scan.AdmittedAt = AlreadyUsed, &stands.At
		return nil
	}
	// Admitted now, or by this same scan when it was sent before.
	scan.Result, scan.At = Admitted, stands.At
	return nil
}

// entered tells whether somebody went in with one of the booking's tickets.
func (b *Booking) entered(in map[uuid.UUID]CheckIn) bool {
	return slices.ContainsFunc(b.Seats, func(seat BookedSeat) bool {
		_, used := in[TicketID(b.ID, seat.ID)]
		return used
	})
}

// seatOf returns the row of a ticket's seat. The picture in memory tells the
// home of the booking that owns it; where it names another owner it may be
// behind, or the event is long over, and the store is asked.
func (s *Service) seatOf(ctx context.Context, e *Event, t *Ticket) (Seat, error) {
	if sale := s.inventory.Sale(e.ID()); sale != nil {
		if seat := sale.seat(t.Seat); seat.Owner == t.Booking {
			return seat, nil
		}
	}
	block, err := s.store.ReadBlock(ctx, BlockID{e.ID(), t.Seat.Block})
	if err != nil {
		return Seat{}, err
	}
	if t.Seat.Index >= len(block.Seats) {
		return Seat{}, fmt.Errorf("event %s: seat %s has no row", e.ID(), t.Seat)
	}
	return block.Seats[t.Seat.Index], nil
}

// Scans returns up to limit lines of an event's log, newest first, whose ids are
// below one; uuid.Max is above all.
func (s *Service) Scans(ctx context.Context, event, before uuid.UUID, limit int) ([]Scan, error) {
	return s.store.Scans(ctx, event, before, limit)
}
