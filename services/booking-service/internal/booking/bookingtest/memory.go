// Package bookingtest has stores that live in memory and can be made to fail,
// and the suite that every store must pass.
package bookingtest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// Fault is what happens to one round.
type Fault int

// Faults.
const (
	None Fault = iota
	// NotDone fails before anything is written.
	NotDone
	// LostAnswer writes and then says that the outcome is unknown.
	LostAnswer
	// LostRequest writes nothing and says that the outcome is unknown.
	LostRequest
)

// Store implements booking.Store in memory.
type Store struct {
	mu     sync.Mutex
	blocks map[booking.BlockID]*memoryBlock
	index  map[uuid.UUID]map[uuid.UUID]booking.IndexEntry
	keys   map[string]key
	events map[uuid.UUID]*booking.Event
	in     map[booking.BlockID]map[uuid.UUID]booking.CheckIn
	scans  map[uuid.UUID]map[uuid.UUID]booking.Scan
	// loseCheckIn is the error after a check-in that was made; loseScan that of a
	// line of the log that was not written.
	loseCheckIn, loseScan error
	// fault is asked before each round.
	fault func(booking.BlockID, []booking.Change) Fault
	// rounds that were applied.
	rounds int
}

type memoryBlock struct {
	version  int64
	seats    []booking.Seat
	bookings map[uuid.UUID]booking.Record
}

type key struct {
	ref  booking.Ref
	hash []byte
}

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{
		blocks: map[booking.BlockID]*memoryBlock{}, index: map[uuid.UUID]map[uuid.UUID]booking.IndexEntry{},
		keys: map[string]key{}, events: map[uuid.UUID]*booking.Event{},
		in: map[booking.BlockID]map[uuid.UUID]booking.CheckIn{}, scans: map[uuid.UUID]map[uuid.UUID]booking.Scan{},
	}
}

// Fail sets what happens to the rounds from now on; nil: nothing. The function
// is called for several rounds at once.
func (s *Store) Fail(fault func(booking.BlockID, []booking.Change) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// Rounds returns how many rounds were applied.
func (s *Store) Rounds() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rounds
}

// CommitRound implements booking.Store.
func (s *Store) CommitRound(_ context.Context, id booking.BlockID, version int64, changes []booking.Change) (bool, booking.Current, error) {
	s.mu.Lock()
	decide, fault := s.fault, None
	s.mu.Unlock()
	if decide != nil {
		fault = decide(id, changes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch fault {
	default:
	case NotDone:
		return false, booking.Current{}, context.DeadlineExceeded
	case LostRequest:
		return false, booking.Current{}, booking.ErrUnknown
	}
	current := s.current(id, changes)
	ok := current.Version == version && version > 0
	for _, ch := range changes {
		for _, c := range ch.Seats {
			owner, exists := current.Owners[c.Index]
			ok = ok && exists && owner == c.From
		}
		ok = ok && (ch.Booking == nil || current.Revisions[ch.Booking.To.ID] == ch.Booking.From)
	}
	if ok {
		b := s.blocks[id]
		b.version++
		s.rounds++
		for _, ch := range changes {
			for _, c := range ch.Seats {
				b.seats[c.Index] = c.To
			}
			if ch.Booking == nil {
				continue
			}
			to := ch.Booking.To
			if to.Revision == ch.Booking.From {
				outbox := to.Outbox
				to = b.bookings[to.ID]
				to.Outbox = outbox
			}
			b.bookings[to.ID] = to
		}
	}
	if fault == LostAnswer {
		return false, booking.Current{}, booking.ErrUnknown
	}
	return ok, current, nil
}

// current must be called with s.mu held.
func (s *Store) current(id booking.BlockID, changes []booking.Change) booking.Current {
	current := booking.Current{Owners: map[int]uuid.UUID{}, Revisions: map[uuid.UUID]int{}}
	b := s.blocks[id]
	if b == nil {
		return current
	}
	current.Version = b.version
	for _, ch := range changes {
		for _, c := range ch.Seats {
			if c.Index < len(b.seats) {
				current.Owners[c.Index] = b.seats[c.Index].Owner
			}
		}
		if ch.Booking != nil {
			if rec, ok := b.bookings[ch.Booking.To.ID]; ok {
				current.Revisions[rec.ID] = rec.Revision
			}
		}
	}
	return current
}

// CreateBlock implements booking.Store.
func (s *Store) CreateBlock(_ context.Context, id booking.BlockID, seats []booking.Seat) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blocks[id] == nil {
		s.blocks[id] = &memoryBlock{version: 1, seats: slices.Clone(seats), bookings: map[uuid.UUID]booking.Record{}}
	}
	return nil
}

// ReadBlock implements booking.Store.
func (s *Store) ReadBlock(_ context.Context, id booking.BlockID) (booking.Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.blocks[id]
	if b == nil {
		return booking.Block{}, nil
	}
	return booking.Block{Version: b.version, Seats: slices.Clone(b.seats)}, nil
}

// ReadVersions implements booking.Store.
func (s *Store) ReadVersions(_ context.Context, event uuid.UUID, n int) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := make([]int64, n)
	for i := range versions {
		if b := s.blocks[booking.BlockID{Event: event, Block: i + 1}]; b != nil {
			versions[i] = b.version
		}
	}
	return versions, nil
}

// ReadBooking implements booking.Store.
func (s *Store) ReadBooking(_ context.Context, ref booking.Ref, _ bool) (booking.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.blocks[ref.BlockID]; b != nil {
		return b.bookings[ref.ID], nil
	}
	return booking.Record{}, nil
}

// ReadBookings implements booking.Store.
func (s *Store) ReadBookings(_ context.Context, id booking.BlockID) ([]booking.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.blocks[id]; b != nil {
		return slices.Collect(maps.Values(b.bookings)), nil
	}
	return nil, nil
}

// ReadUnsent implements booking.Store.
func (s *Store) ReadUnsent(ctx context.Context, id booking.BlockID) ([]booking.Record, error) {
	all, err := s.ReadBookings(ctx, id)
	return slices.DeleteFunc(all, func(rec booking.Record) bool { return len(rec.Outbox) == 0 }), err
}

// IndexBookings implements booking.Store.
func (s *Store) IndexBookings(_ context.Context, entries []booking.IndexEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		if s.index[e.UserID] == nil {
			s.index[e.UserID] = map[uuid.UUID]booking.IndexEntry{}
		}
		s.index[e.UserID][e.ID] = e
	}
	return nil
}

// IndexKey implements booking.Store.
func (s *Store) IndexKey(ctx context.Context, e booking.IndexEntry, k string, hash []byte) error {
	if err := s.IndexBookings(ctx, []booking.IndexEntry{e}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[e.UserID.String()+k] = key{e.Ref, hash}
	return nil
}

// UserBookings implements booking.Store.
func (s *Store) UserBookings(_ context.Context, user uuid.UUID) ([]booking.IndexEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.index[user])), nil
}

// FindBooking implements booking.Store.
func (s *Store) FindBooking(_ context.Context, user, id uuid.UUID) (booking.Ref, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.index[user][id]
	return e.Ref, ok, nil
}

// FindKey implements booking.Store.
func (s *Store) FindKey(_ context.Context, user uuid.UUID, k string) (booking.Ref, []byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.keys[user.String()+k]
	return found.ref, found.hash, ok, nil
}

// SaveEvent implements booking.Store.
func (s *Store) SaveEvent(_ context.Context, e *booking.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.events[e.ID()]; old == nil || old.Version < e.Version {
		s.events[e.ID()] = e
	}
	return nil
}

// EventVersions implements booking.Store.
func (s *Store) EventVersions(context.Context) (map[uuid.UUID]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := map[uuid.UUID]int64{}
	for id, e := range s.events {
		versions[id] = e.Version
	}
	return versions, nil
}

// ReadEvent implements booking.Store.
func (s *Store) ReadEvent(_ context.Context, id uuid.UUID) (*booking.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events[id], nil
}

// Lose makes the answers to check-ins be lost from now on, and the lines of the
// log, with these errors; nil: they are not.
func (s *Store) Lose(checkIns, scans error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loseCheckIn, s.loseScan = checkIns, scans
}

// Admit implements booking.Store.
func (s *Store) Admit(_ context.Context, home booking.BlockID, in booking.CheckIn) (booking.CheckIn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stands, ok := s.in[home][in.Ticket]
	if !ok {
		if s.in[home] == nil {
			s.in[home] = map[uuid.UUID]booking.CheckIn{}
		}
		s.in[home][in.Ticket], stands = in, in
	}
	return stands, s.loseCheckIn
}

// CheckIns implements booking.Store.
func (s *Store) CheckIns(_ context.Context, home booking.BlockID) (map[uuid.UUID]booking.CheckIn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.in[home]), nil
}

// SaveScan implements booking.Store.
func (s *Store) SaveScan(_ context.Context, scan booking.Scan) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loseScan != nil {
		return s.loseScan
	}
	if s.scans[scan.Event] == nil {
		s.scans[scan.Event] = map[uuid.UUID]booking.Scan{}
	}
	s.scans[scan.Event][scan.ID] = scan
	return nil
}

// FindScan implements booking.Store.
func (s *Store) FindScan(_ context.Context, event, id uuid.UUID) (booking.Scan, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scan, ok := s.scans[event][id]
	return scan, ok, nil
}

// Scans implements booking.Store.
func (s *Store) Scans(_ context.Context, event, before uuid.UUID, limit int) ([]booking.Scan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []booking.Scan
	for id, scan := range s.scans[event] {
		if bytes.Compare(id[:], before[:]) < 0 {
			all = append(all, scan)
		}
	}
	slices.SortFunc(all, func(a, b booking.Scan) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	return all[:min(limit, len(all))], nil
}
