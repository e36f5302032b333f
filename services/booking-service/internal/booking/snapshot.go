package booking

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// Snapshot encodes the state. Equal states have equal snapshots.
func (s *State) Snapshot() ([]byte, error) {
	p := &logpb.Snapshot{Seq: s.Seq, Scans: s.scans, Queue: s.encodeQueue()}
	for _, e := range s.definitions {
		p.Definitions = append(p.Definitions, e.raw)
	}
	for _, b := range s.bookings {
		p.Bookings = append(p.Bookings, b.Encode())
	}
	slices.SortFunc(p.Bookings, func(a, b *logpb.Booking) int {
		return cmp.Or(cmp.Compare(a.GetCreated(), b.GetCreated()), cmp.Compare(a.GetId(), b.GetId()))
	})
	return proto.MarshalOptions{Deterministic: true}.Marshal(p)
}

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
