package booking

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// ErrUnknown wraps an error after which the write may or may not have
// happened, now or a little later. Everything else is NotDone.
var ErrUnknown = errors.New("the outcome is unknown")

// Current is what the store says when a round's conditions do not hold: the
// values of the rows that the round names. A row that does not exist is missing.
type Current struct {
	Version   int64
	Owners    map[int]uuid.UUID
	Revisions map[uuid.UUID]int
}

// Block is all seats of a block at one version.
type Block struct {
	// Version counts the block's committed rounds.
	Version int64
	Seats   []Seat
}

// Store keeps seats and bookings in one partition a block, the truth about
// both. Only compare-and-set writes them.
type Store interface {
	// CommitRound moves a block from version to version+1 with all the
	// changes, or does nothing and says what stands there. Errors that wrap
	// ErrUnknown leave open which.
	CommitRound(ctx context.Context, id BlockID, version int64, changes []Change) (applied bool, current Current, err error)
	// CreateBlock makes a block's rows at version 1, if there are none yet.
	CreateBlock(ctx context.Context, id BlockID, seats []Seat) error
	// ReadBlock reads all seats of a block; version 0 when it does not exist.
	ReadBlock(ctx context.Context, id BlockID) (Block, error)
	// ReadVersions reads the versions of an event's blocks 1 to n.
	ReadVersions(ctx context.Context, event uuid.UUID, n int) ([]int64, error)
	// ReadBooking returns the record, with revision 0 when there is none. With
	// linearizable, no write acknowledged before is missed.
	ReadBooking(ctx context.Context, ref Ref, linearizable bool) (Record, error)
	// ReadBookings returns all records of a block.
	ReadBookings(ctx context.Context, id BlockID) ([]Record, error)
	// ReadUnsent returns records of a block whose outbox is not empty, at most
	// some hundred.
	ReadUnsent(ctx context.Context, id BlockID) ([]Record, error)

	// IndexBookings makes bookings findable by their users. An entry may be
	// written though its hold fails.
	IndexBookings(ctx context.Context, entries []IndexEntry) error
	// IndexKey makes a booking findable by its user and by an Idempotency-Key.
	IndexKey(ctx context.Context, entry IndexEntry, key string, requestHash []byte) error
	// UserBookings returns the index entries of a user, in no order.
	UserBookings(ctx context.Context, user uuid.UUID) ([]IndexEntry, error)
	// FindBooking returns where a user's booking is.
	FindBooking(ctx context.Context, user, booking uuid.UUID) (Ref, bool, error)
	// FindKey returns what a user's Idempotency-Key was used for.
	FindKey(ctx context.Context, user uuid.UUID, key string) (ref Ref, requestHash []byte, found bool, err error)

	// SaveEvent stores an event's definition unless a newer one is there.
	SaveEvent(ctx context.Context, e *Event) error
	// EventVersions returns the version of every event's definition.
	EventVersions(ctx context.Context) (map[uuid.UUID]int64, error)
	// ReadEvent returns an event's definition, nil when there is none.
	ReadEvent(ctx context.Context, id uuid.UUID) (*Event, error)

	// Admit lets the holder of a ticket in, unless a scan has done so before, and
	// returns the check-in that stands: in, or the one before it. Of many at once
	// one is made. Errors that wrap ErrUnknown leave open whether it was.
	Admit(ctx context.Context, home BlockID, in CheckIn) (stands CheckIn, err error)
	// CheckIns returns those of the bookings of a block, by ticket.
	CheckIns(ctx context.Context, home BlockID) (map[uuid.UUID]CheckIn, error)
	// SaveScan writes a line of the log. It may be written again.
	SaveScan(ctx context.Context, scan Scan) error
	// FindScan returns a line of the log.
	FindScan(ctx context.Context, event, id uuid.UUID) (scan Scan, found bool, err error)
	// Scans returns up to limit lines of an event's log, newest first, whose ids
	// are below one; uuid.Max is above all.
	Scans(ctx context.Context, event, before uuid.UUID, limit int) ([]Scan, error)
}

// IndexEntry is where one of a user's bookings is.
type IndexEntry struct {
	Ref
	UserID uuid.UUID
	// CreatedAt is in Unix milliseconds.
	CreatedAt int64
}

// Locks is the fast no in front of the store: it may forget everything at any
// time and is never the proof of anything.
type Locks interface {
	// Take takes all seats for a booking or none, and counts them for the
	// buyer. An error or LocksCold means: ask the store.
	Take(ctx context.Context, req LockRequest) (LockAnswer, error)
	// Settle tells what became of seats, after the store has it.
	Settle(ctx context.Context, event uuid.UUID, outcomes []LockOutcome)
	// Warm restores an event's locks and counts, then says they are complete.
	Warm(ctx context.Context, event uuid.UUID, outcomes []LockOutcome) error
}

// LockRequest asks for the locks of one hold.
type LockRequest struct {
	Event    uuid.UUID
	Booking  uuid.UUID
	User     uuid.UUID
	Seats    []SeatID
	Deadline int64 // Unix milliseconds
	// Limit is the most seats of the event the buyer may have.
	Limit int
	// Exclusive refuses, for a few seconds, another attempt under the same
	// booking id, whatever its seats.
	Exclusive bool
}

// LockVerdict is the answer to a LockRequest.
type LockVerdict int

// Verdicts.
const (
	LocksTaken LockVerdict = iota
	// LocksRefused: other bookings have the seats named.
	LocksRefused
	// LocksOverLimit: the buyer would have too many seats.
	LocksOverLimit
	// LocksTwin: another hold with this booking id is under way.
	LocksTwin
	// LocksCold: the locks of this event are not complete.
	LocksCold
)

// LockAnswer is a verdict with its reasons.
type LockAnswer struct {
	Verdict LockVerdict
	// Taken names the seats that others have.
	Taken []SeatID
	// Held counts the seats the buyer has already.
	Held int
}

// LockOutcome is what became of a booking's seats.
type LockOutcome struct {
	Booking, User uuid.UUID
	Seats         []SeatID
	// State is HeldSeat, Sold, or Available when they are free again.
	State    State
	Deadline int64
	// Ended says that the booking is in a final status: what is told of it later
	// was true before.
	Ended bool
}

// Feed tells the other replicas what has changed; it may lose anything.
type Feed interface {
	PublishDelta(Delta)
}

// Outbox sends messages to Kafka and says when they are there.
type Outbox interface {
	// Publish calls done once with nil when all messages are acknowledged. It
	// never blocks.
	Publish(messages []Message, key string, done func(error))
}
