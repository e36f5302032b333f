package redis

import (
	"encoding/binary"
	"errors"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// A delta on the wire, as every replica reads all of them: format, event,
// origin, block, version, number of seats, and for each seat its index, owner,
// deadline, home block and state. Numbers are varints, ids 16 bytes.
const deltaFormat = 1

var errDelta = errors.New("not a delta of this format")

func appendDelta(to []byte, d *booking.Delta) []byte {
	to = append(to, deltaFormat)
	to = append(to, d.Event[:]...)
	to = binary.AppendUvarint(to, uint64(len(d.Origin)))
	to = append(to, d.Origin...)
	to = binary.AppendUvarint(to, uint64(d.Block))
	to = binary.AppendUvarint(to, uint64(d.Version))
	to = binary.AppendUvarint(to, uint64(len(d.Seats)))
	for i := range d.Seats {
		s := &d.Seats[i]
		to = binary.AppendUvarint(to, uint64(s.Index))
		to = append(to, s.Seat.Owner[:]...)
		to = binary.AppendVarint(to, s.Seat.Deadline)
		to = binary.AppendVarint(to, int64(s.Seat.Home))
		to = append(to, byte(s.Seat.State))
	}
	return to
}

// reader takes numbers and ids from the front of a message; after the first
// that is not there it returns zeros.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) fail() { r.failed, r.rest = true, nil }

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) id() (id uuid.UUID) {
	if copy(id[:], r.rest) < len(id) {
		r.fail()
		return id
	}
	r.rest = r.rest[len(id):]
	return id
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// decodeDelta takes a delta from the front of message.
func decodeDelta(message []byte) (d booking.Delta, rest []byte, err error) {
	r := reader{rest: message}
	if r.byte() != deltaFormat {
		return d, nil, errDelta
	}
	d.Event, d.Origin = r.id(), r.text()
	d.Block, d.Version = int(r.uvarint()), int64(r.uvarint())
	n := r.uvarint()
	if n > booking.BlockSize {
		return d, nil, errDelta
	}
	d.Seats = make([]booking.SeatDelta, n)
	for i := range d.Seats {
		s := &d.Seats[i]
		s.Index = int(r.uvarint())
		s.Seat.Owner = r.id()
		s.Seat.Deadline, s.Seat.Home = r.varint(), int32(r.varint())
		s.Seat.State = booking.State(r.byte())
		if s.Index >= booking.BlockSize || s.Seat.State > booking.Blocked {
			return d, nil, errDelta
		}
	}
	if r.failed {
		return d, nil, errDelta
	}
	return d, r.rest, nil
}
