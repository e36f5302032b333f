package eventlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ErrUnknown wraps an error after which a write may have happened or may still
// happen. After any other error it has not and will not.
var ErrUnknown = errors.New("outcome unknown")

// ErrUnavailable wraps an error after which nothing was done.
var ErrUnavailable = errors.New("unavailable")

// ID names an event's log: the first 8 bytes of the event's id, big-endian.
type ID uint64

// String returns the log's id as 16 hexadecimal digits.
func (id ID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// Stored is one entry of a log.
type Stored struct {
	// Seq counts from 1.
	Seq int64
	// Data is a log.Entry.
	Data []byte
}

// ListedEvent is an event that is or was on sale.
type ListedEvent struct {
	Event  uuid.UUID
	EndsAt time.Time
}

// Store stores the logs and the data derived from them.
type Store interface {
	// Append adds an entry as head+1 if the log's head is still head. Otherwise
	// applied is false and nothing was written. After an error that wraps
	// ErrUnknown, the entry may have been written; the same call may be
	// repeated.
	Append(ctx context.Context, id ID, head int64, data []byte) (applied bool, err error)
	// Head returns the log's head, or 0 if the log does not exist. With serial
	// set, appends in progress either take effect before it or never;
	// otherwise, the head is at least that of every acknowledged append.
	Head(ctx context.Context, id ID, serial bool) (int64, error)
	// Read returns up to limit entries after a sequence number, in order. It
	// finds all entries up to any head that Head returned.
	Read(ctx context.Context, id ID, after int64, limit int) ([]Stored, error)

	// SaveSnapshot stores the state after entry seq and removes snapshots older
	// than the previous one.
	SaveSnapshot(ctx context.Context, id ID, seq int64, data []byte) error
	// LoadSnapshot returns the newest snapshot, with seq 0 if there is none.
	LoadSnapshot(ctx context.Context, id ID) (seq int64, data []byte, err error)

	// Cursors returns the entries up to which messages are published and the
	// users' lists are written.
	Cursors(ctx context.Context, id ID) (published, listed int64, err error)
	// SetPublished stores the entry up to which messages are published.
	SetPublished(ctx context.Context, id ID, seq int64) error
	// SetListed stores the entry up to which the users' lists are written.
	SetListed(ctx context.Context, id ID, seq int64) error

	// Events returns every event that is or was on sale.
	Events(ctx context.Context) ([]ListedEvent, error)
	// SaveEvent adds an event to the list, or updates its end.
	SaveEvent(ctx context.Context, e ListedEvent) error

	// SaveBookings writes rows of the users' lists of bookings. Of two versions
	// of a row, the one with the higher Seq is kept, whichever is written last.
	SaveBookings(ctx context.Context, rows []UserBooking) error
	// UserBookings returns a user's list, in no order.
	UserBookings(ctx context.Context, user uuid.UUID) ([]UserBooking, error)
}

// UserBooking is a row of a user's list of bookings.
type UserBooking struct {
	User, Booking uuid.UUID
	// Seq is the last entry that changed the booking.
	Seq int64
	// Data is the booking as JSON.
	Data []byte
}

// UUID returns a UUID with the log's id as its first half.
func (id ID) UUID() (u uuid.UUID) {
	binary.BigEndian.PutUint64(u[:8], uint64(id))
	return u
}
