package booking

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// HistoryFilter selects operations. The zero value selects all.
type HistoryFilter struct {
	// Seat, if not nil, selects the operations on one seat.
	Seat *SeatID
	// Booking is the own half of a booking's id; 0 selects any.
	Booking uint64
}

// History returns a line for each operation of the entry that the state has
// just applied.
func (s *State) History(entry *logpb.Entry, filter HistoryFilter) []string {
	var lines []string
	for _, op := range entry.GetOperations() {
		own, at, what := s.describe(op)
		if filter.Booking != 0 && own != filter.Booking {
			continue
		}
		b := s.bookings[own]
		if filter.Seat != nil {
			position, ok := s.Event.Plan.Position(*filter.Seat)
			if !ok || own != 0 && (b == nil || !slices.Contains(b.Seats, position)) {
				continue
			}
		}
		line := millis(at).Format(time.RFC3339Nano) + "  " + what
		if own != 0 {
			line += "  booking " + JoinID(s.Event.EventID, own).String()
		}
		if b != nil && len(b.Seats) > 0 {
			names := make([]string, len(b.Seats))
			for i, id := range s.Event.Plan.SeatIDs(b.Seats) {
				names[i] = id.String()
			}
			line += "  seats " + strings.Join(names, " ")
		}
		lines = append(lines, line)
	}
	return lines
}

// describe returns the booking of an operation (0 if none), its time in Unix
// milliseconds, and a description.
func (s *State) describe(op *logpb.Operation) (own uint64, at int64, what string) {
	payment := func(b []byte) string { return "payment " + id(b).String() }
	switch op := op.GetKind().(type) {
	case *logpb.Operation_Defined:
		return 0, op.Defined.GetAt(), fmt.Sprintf("event defined: version %d, %s", s.Event.Version, s.Event.Status)
	case *logpb.Operation_Held:
		return op.Held.GetBooking(), op.Held.GetAt(), fmt.Sprintf("held until %s by user %s", millis(op.Held.GetExpires()).Format(time.RFC3339), id(op.Held.GetUser()))
	case *logpb.Operation_Confirmed:
		return op.Confirmed.GetBooking(), op.Confirmed.GetAt(), "confirmed by " + payment(op.Confirmed.GetPayment())
	case *logpb.Operation_Declined:
		return op.Declined.GetBooking(), op.Declined.GetAt(), payment(op.Declined.GetPayment()) + " declined: " + op.Declined.GetFailureCode()
	case *logpb.Operation_Ended:
		return op.Ended.GetBooking(), op.Ended.GetAt(), fmt.Sprintf("ended: %s (%s)", op.Ended.GetStatus(), op.Ended.GetReason())
	case *logpb.Operation_PaidLate:
		return op.PaidLate.GetBooking(), op.PaidLate.GetAt(), payment(op.PaidLate.GetPayment()) + " came too late and is refunded"
	case *logpb.Operation_Refunded:
		return op.Refunded.GetBooking(), op.Refunded.GetAt(), payment(op.Refunded.GetPayment()) + " refunded"
	case *logpb.Operation_Scanned:
		return op.Scanned.GetBooking(), op.Scanned.GetAt(), fmt.Sprintf("scanned: %s, ticket %s, by user %s",
			op.Scanned.GetResult(), ticketName(op.Scanned.GetTicket()), id(op.Scanned.GetScanner()))
	}
	at, what = describeQueue(op)
	return 0, at, what
}

// describeQueue returns the time of an operation of the queue, in Unix
// milliseconds, and a description.
func describeQueue(op *logpb.Operation) (at int64, what string) {
	switch op := op.GetKind().(type) {
	case *logpb.Operation_Seeded:
		return op.Seeded.GetAt(), "queue: pre-queue opened"
	case *logpb.Operation_Joined:
		return op.Joined.GetAt(), fmt.Sprintf("queue: user %s joined lane %s", id(op.Joined.GetUser()), strings.ToLower(op.Joined.GetLane().String()))
	case *logpb.Operation_Drawn:
		return op.Drawn.GetAt(), "queue: drawn"
	case *logpb.Operation_Served:
		return op.Served.GetAt(), fmt.Sprintf("queue: serving %v, crowd %.0f, %s, p99 %d ms, %.1f holds/s", op.Served.GetServing(), op.Served.GetCrowd(),
			op.Served.GetReason(), op.Served.GetHoldP99Ms(), op.Served.GetHoldsPerSecond())
	case *logpb.Operation_Entered:
		return op.Entered.GetAt(), fmt.Sprintf("queue: user %s admitted until %s", id(op.Entered.GetUser()), millis(op.Entered.GetUntil()).Format(time.RFC3339))
	case *logpb.Operation_Left:
		return op.Left.GetAt(), fmt.Sprintf("queue: user %s left", id(op.Left.GetUser()))
	case *logpb.Operation_Switched:
		return op.Switched.GetAt(), fmt.Sprintf("queue: active %t", op.Switched.GetActive())
	case *logpb.Operation_Controlled:
		return op.Controlled.GetAt(), "queue: " + op.Controlled.GetControl().GetState()
	case *logpb.Operation_Invited:
		return op.Invited.GetAt(), fmt.Sprintf("queue: %d invite codes", len(op.Invited.GetCodes()))
	}
	return 0, "unknown operation"
}

func ticketName(b []byte) string {
	if len(b) == 0 {
		return uuid.Nil.String()
	}
	return id(b).String()
}
