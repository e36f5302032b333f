// Package model specifies the possible histories of one seat for a
// linearizability checker: free, held by a booking, sold to a booking, free
// again.
//
// The model has no clock. The effects of the clock are in the operations'
// intervals: an expiry may take effect from the hold's deadline on, a
// confirmation from the first request to pay on, a cancellation from its
// request on; each no later than a client has seen it.
package model

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// Forever is the return time of an operation that no client has seen to end.
const Forever = math.MaxInt64 - 1

// Action is what an operation does to a seat, or observes of it.
type Action int

// Actions.
const (
	// Hold takes a free seat.
	Hold Action = iota
	// Confirm turns a booking's hold into a sale.
	Confirm
	// Expire frees a held seat. A sold seat never expires.
	Expire
	// Release frees a held or sold seat: cancelled by the buyer or the
	// organiser.
	Release
	// SeeHeld, SeeConfirmed and SeeEnded are the results of reading the
	// booking.
	SeeHeld
	SeeConfirmed
	SeeEnded
)

func (a Action) String() string {
	return [...]string{"hold", "confirm", "expire", "release", "reads: held", "reads: confirmed", "reads: ended"}[a]
}

// Operation is one event or observation of a seat.
type Operation struct {
	Action  Action
	Booking string
	// Start and End bound the time when it took effect, in nanoseconds since
	// the round began.
	Start, End int64
}

// seat is the state: the owning booking, and whether the seat is sold.
type seat struct {
	owner string
	sold  bool
}

// Seat is the model.
var Seat = porcupine.Model{
	Init: func() any { return seat{} },
	Step: func(state, input, _ any) (bool, any) {
		ok, next := step(state.(seat), input.(Operation))
		return ok, next
	},
	DescribeOperation: func(input, _ any) string {
		op := input.(Operation)
		return fmt.Sprintf("%s: %s", short(op.Booking), op.Action)
	},
	DescribeState: func(state any) string {
		s := state.(seat)
		switch {
		case s.owner == "":
			return "free"
		case s.sold:
			return "sold to " + short(s.owner)
		}
		return "held by " + short(s.owner)
	},
}

func step(s seat, op Operation) (bool, seat) {
	mine := s.owner == op.Booking
	switch op.Action {
	case Hold:
		return s.owner == "", seat{owner: op.Booking}
	case Confirm:
		return mine && !s.sold, seat{owner: op.Booking, sold: true}
	case Expire:
		return mine && !s.sold, seat{}
	case Release:
		return mine, seat{}
	case SeeHeld:
		return mine && !s.sold, s
	case SeeConfirmed:
		return mine && s.sold, s
	case SeeEnded:
		return !mine, s
	}
	return false, s
}

// short returns the end of an id: the beginning is a timestamp and similar for
// all.
func short(id string) string {
	if len(id) <= 8 {
		return id
	}
	return "…" + id[len(id)-8:]
}

// Check reports whether the operations on one seat have an order that the model
// allows and that respects their intervals. The result is Unknown if timeout
// was not enough.
func Check(operations []Operation, timeout time.Duration) (porcupine.CheckResult, porcupine.LinearizationInfo) {
	list := make([]porcupine.Operation, len(operations))
	rows := map[string]int{}
	for i, op := range operations {
		row, seen := rows[op.Booking]
		if !seen {
			row = len(rows)
			rows[op.Booking] = row
		}
		list[i] = porcupine.Operation{ClientId: row, Input: op, Call: op.Start, Return: op.End}
	}
	return porcupine.CheckOperationsVerbose(Seat, list, timeout)
}
