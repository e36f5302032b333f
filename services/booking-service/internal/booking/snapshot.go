package booking

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// Frozen is a copy of a state for a snapshot. It shares with the state only what
// never changes.
type Frozen struct {
	snapshot *logpb.Snapshot
	places   []place
}

// Freeze copies the state, so that it can be encoded while the state changes.
func (s *State) Freeze() Frozen {
	f := Frozen{snapshot: &logpb.Snapshot{Seq: s.Seq, Scans: slices.Clone(s.scans)}}
	for _, e := range s.definitions {
		f.snapshot.Definitions = append(f.snapshot.Definitions, e.raw)
	}
	f.snapshot.Bookings = make([]*logpb.Booking, 0, len(s.bookings))
	for _, b := range s.bookings {
		f.snapshot.Bookings = append(f.snapshot.Bookings, b.Encode())
	}
	if s.queue != nil {
		f.snapshot.Queue, f.places = s.queue.freeze()
	}
	return f
}

// Encode returns the snapshot. Equal states have equal snapshots.
func (f Frozen) Encode() ([]byte, error) {
	slices.SortFunc(f.snapshot.Bookings, func(a, b *logpb.Booking) int {
		return cmp.Or(cmp.Compare(a.GetCreated(), b.GetCreated()), cmp.Compare(a.GetId(), b.GetId()))
	})
	slices.SortFunc(f.places, func(a, b place) int { return bytes.Compare(a.user[:], b.user[:]) })
	for i := range f.places {
		f.snapshot.Queue.Places = append(f.snapshot.Queue.Places, f.places[i].encode())
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(f.snapshot)
}

// Snapshot encodes the state.
func (s *State) Snapshot() ([]byte, error) { return s.Freeze().Encode() }

// Restore returns the state encoded in a snapshot.
func Restore(snapshot []byte) (*State, error) {
	var p logpb.Snapshot
	if err := proto.Unmarshal(snapshot, &p); err != nil {
		return nil, fmt.Errorf("decode snapshot: %w", err)
	}
	s := NewState()
	s.Seq = p.GetSeq()
	for _, definition := range p.GetDefinitions() {
		if err := s.addDefinition(definition); err != nil {
			return nil, fmt.Errorf("decode snapshot: %w", err)
		}
	}
	for _, encoded := range p.GetBookings() {
		b, err := s.Decode(encoded)
		if err != nil {
			return nil, fmt.Errorf("decode snapshot: %w", err)
		}
		s.add(b)
	}
	if s.Event != nil {
		s.countFree()
	}
	for _, op := range p.GetScans() {
		s.scan(op)
	}
	s.queue = decodeQueue(p.GetQueue())
	return s, nil
}

// Equal reports whether two states are equal.
func (s *State) Equal(other *State) (bool, error) {
	a, err := s.Snapshot()
	if err != nil {
		return false, err
	}
	b, err := other.Snapshot()
	return bytes.Equal(a, b), err
}
