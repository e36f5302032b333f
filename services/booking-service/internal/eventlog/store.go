package eventlog

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
)

// ErrUnknown wraps an error after which a write may or may not have happened,
// now or a little later. After any other error it has not.
var ErrUnknown = errors.New("outcome unknown")

// ErrUnavailable wraps an error after which nothing was done.
var ErrUnavailable = errors.New("unavailable")

// ID names an event's log: the first 8 bytes of the event's id, big-endian.
type ID uint64

// Stored is one entry of a log.
type Stored struct {
	// Seq counts from 1.
	Seq int64
	// Data is a log.Entry.
	Data []byte
}

// Listed is an event that is or was on sale.
type Listed struct {
	Event  uuid.UUID
	EndsAt time.Time
}

// Store keeps the logs and what is derived from them.
type Store interface {
	// Append adds an entry as head+1 if the log's head is still head. When it is
	// not, applied is false and nothing was written. An error that wraps
	// ErrUnknown leaves open whether the entry was written; the same call may be
	// made again.
	Append(ctx context.Context, id ID, head int64, data []byte) (applied bool, err error)
	// Head returns the log's head, 0 when the log does not exist. With serial,
	// appends that are under way take effect before or are void; without it, the
	// head is at least that of every acknowledged append.
	Head(ctx context.Context, id ID, serial bool) (int64, error)
	// Read returns up to limit entries after a sequence number, in order. Entries
	// up to a head that Head returned are all found.
	Read(ctx context.Context, id ID, after int64, limit int) ([]Stored, error)

	// SaveSnapshot stores the state after entry seq and removes those older than
	// the one before it.
	SaveSnapshot(ctx context.Context, id ID, seq int64, data []byte) error
	// LoadSnapshot returns the newest snapshot, seq 0 when there is none.
	LoadSnapshot(ctx context.Context, id ID) (seq int64, data []byte, err error)

	// Cursors returns up to which entry the messages are published, and the
	// users' lists written.
	Cursors(ctx context.Context, id ID) (published, listed int64, err error)
	// SetPublished stores up to which entry the messages are published.
	SetPublished(ctx context.Context, id ID, seq int64) error
	// SetListed stores up to which entry the users' lists are written.
	SetListed(ctx context.Context, id ID, seq int64) error

	// List returns every event that is or was on sale.
	List(ctx context.Context) ([]Listed, error)
	// Enlist adds an event to the list, or changes when it ends.
	Enlist(ctx context.Context, e Listed) error

	// SaveBookings writes rows of the users' lists of bookings. Of two versions
	// of a row, the one with the higher Seq stays, whichever is written last.
	SaveBookings(ctx context.Context, rows []UserBooking) error
	// UserBookings returns a user's list, in no order.
	UserBookings(ctx context.Context, user uuid.UUID) ([]UserBooking, error)
}

// UserBooking is a row of a user's list of bookings.
type UserBooking struct {
	User, Booking uuid.UUID
	// Seq is the entry that changed the booking last.
	Seq int64
	// Data is the booking as JSON.
	Data []byte
}

// UUID returns a UUID with the log's id as its first half.
func (id ID) UUID() (u uuid.UUID) {
	binary.BigEndian.PutUint64(u[:8], uint64(id))
	return u
}
