package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// memory is a Store that may lose responses: an append with an unknown outcome
// was applied, was not applied, or is applied later, while others continue.
type memory struct {
	mu          sync.Mutex
	random      *rand.Rand
	logs        map[ID][]Stored
	late        []func()
	snapshots   map[ID]Stored
	cursors     map[ID]int64
	listCursors map[ID]int64
	listed      map[uuid.UUID]ListedEvent
	users       map[uuid.UUID]map[uuid.UUID]UserBooking
	// failurePercent is the probability in percent that an append fails.
	failurePercent int
	unknown        int
	// gate, if not nil, blocks appends until it is closed.
	gate chan struct{}
}

func newMemory(seed uint64) *memory {
	return &memory{
		random: rand.New(rand.NewPCG(seed, 0)), logs: map[ID][]Stored{}, snapshots: map[ID]Stored{}, cursors: map[ID]int64{}, listCursors: map[ID]int64{},
		listed: map[uuid.UUID]ListedEvent{}, users: map[uuid.UUID]map[uuid.UUID]UserBooking{},
	}
}

func (m *memory) append(id ID, head int64, data []byte) bool {
	if int64(len(m.logs[id])) != head {
		return false
	}
	m.logs[id] = append(m.logs[id], Stored{Seq: head + 1, Data: data})
	return true
}

func (m *memory) Append(_ context.Context, id ID, head int64, data []byte) (bool, error) {
	m.mu.Lock()
	gate := m.gate
	m.mu.Unlock()
	if gate != nil {
		<-gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deliverLate(m.random.IntN(2) == 0)
	if m.random.IntN(100) >= m.failurePercent {
		return m.append(id, head, data), nil
	}
	switch m.random.IntN(4) {
	case 0: // nothing was done
		return false, fmt.Errorf("%w: injected", ErrUnavailable)
	case 1: // applied, the response is lost
		m.append(id, head, data)
	case 2: // the request is lost
	case 3: // still in flight
		m.late = append(m.late, func() { m.append(id, head, data) })
	}
	m.unknown++
	return false, fmt.Errorf("%w: injected", ErrUnknown)
}

// block makes appends wait until gate is closed.
func (m *memory) block(gate chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gate = gate
}

// deliverLate applies the appends in flight if now is set.
func (m *memory) deliverLate(now bool) {
	if now {
		for _, arrive := range m.late {
			arrive()
		}
		m.late = nil
	}
}

// A serial Head settles appends in flight: they are void or applied.
func (m *memory) Head(_ context.Context, id ID, serial bool) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if serial {
		m.deliverLate(m.random.IntN(2) == 0)
		m.late = nil
	}
	if m.random.IntN(100) < m.failurePercent {
		return 0, fmt.Errorf("%w: injected", ErrUnavailable)
	}
	return int64(len(m.logs[id])), nil
}

func (m *memory) Read(_ context.Context, id ID, after int64, limit int) ([]Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	log := m.logs[id]
	from := min(int(after), len(log))
	return slices.Clone(log[from:min(from+limit, len(log))]), nil
}

func (m *memory) SaveSnapshot(_ context.Context, id ID, seq int64, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.snapshots[id] = Stored{Seq: seq, Data: data}
	return nil
}

func (m *memory) LoadSnapshot(_ context.Context, id ID) (int64, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snapshots[id].Seq, m.snapshots[id].Data, nil
}

func (m *memory) Cursors(_ context.Context, id ID) (published, listed int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursors[id], m.listCursors[id], nil
}

func (m *memory) SetListed(_ context.Context, id ID, seq int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listCursors[id] = seq
	return nil
}

func (m *memory) SetPublished(_ context.Context, id ID, seq int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cursors[id] = seq
	return nil
}

func (m *memory) Events(context.Context) ([]ListedEvent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []ListedEvent
	for _, e := range m.listed {
		all = append(all, e)
	}
	return all, nil
}

func (m *memory) SaveEvent(_ context.Context, e ListedEvent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listed[e.Event] = e
	return nil
}

func (m *memory) SaveBookings(_ context.Context, rows []UserBooking) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, row := range rows {
		if m.users[row.User] == nil {
			m.users[row.User] = map[uuid.UUID]UserBooking{}
		}
		if m.users[row.User][row.Booking].Seq <= row.Seq {
			m.users[row.User][row.Booking] = row
		}
	}
	return nil
}

func (m *memory) UserBookings(_ context.Context, user uuid.UUID) ([]UserBooking, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []UserBooking
	for _, row := range m.users[user] {
		all = append(all, row)
	}
	return all, nil
}

// kafka is a Publisher that sometimes fails after it has sent some messages.
type kafka struct {
	mu             sync.Mutex
	random         *rand.Rand
	failurePercent int
	messages       []booking.Message
}

func (k *kafka) setFailures(percent int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failurePercent = percent
}

func (k *kafka) Publish(_ context.Context, messages []booking.Message) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.random.IntN(100) < k.failurePercent {
		k.messages = append(k.messages, messages[:k.random.IntN(len(messages)+1)]...)
		return fmt.Errorf("injected")
	}
	k.messages = append(k.messages, messages...)
	return nil
}

func (k *kafka) Availability(context.Context, events.EventAvailability) error { return nil }

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // faults are injected on purpose
	os.Exit(m.Run())
}
