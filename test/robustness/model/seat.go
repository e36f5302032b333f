// Package model says what one seat may go through, for a linearizability
// checker: free, held by a booking, sold to a booking, free again.
//
// The model has no clock. What the clock may do, and when, is in the
// operations' intervals: an expiry may take effect from the hold's deadline on,
// a confirmation from the first request to pay on, a cancellation from its
// request on; each at the latest when a client has seen it.
package model

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// Forever is the return of an operation that nobody has seen to end.
const Forever = math.MaxInt64 - 1

// Action is what an operation does to a seat, or says of it.
type Action int

// Actions.
const (
	// Hold takes a free seat.
	Hold Action = iota
	// Confirm turns a booking's hold into a sale.
	Confirm
	// Expire gives a held seat back: a seat that was sold never expires.
	Expire
	// Release gives a held or sold seat back: cancelled by buyer or organiser.
	Release
	// SeeHeld, SeeConfirmed and SeeEnded are what a read of the booking was answered.
	SeeHeld
	SeeConfirmed
	SeeEnded
)

func (a Action) String() string {
	return [...]string{"hold", "confirm", "expire", "release", "reads: held", "reads: confirmed", "reads: ended"}[a]
}

// Operation is one thing that happened to a seat, or was said of it.
type Operation struct {
	Action  Action
	Booking string
	// Start and End bound when it took effect, in nanoseconds since the round began.
	Start, End int64
}

// seat is the state: whose it is, and whether it is sold.
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

// short is the end of an id: its beginning is the time and much the same for all.
func short(id string) string {
	if len(id) <= 8 {
		return id
	}
	return "…" + id[len(id)-8:]
}

// Check tells whether the operations on one seat can be put in an order that
// the model allows and that respects their intervals. Unknown: not in that time.
func Check(operations []Operation, patience time.Duration) (porcupine.CheckResult, porcupine.LinearizationInfo) {
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
	return porcupine.CheckOperationsVerbose(Seat, list, patience)
}
