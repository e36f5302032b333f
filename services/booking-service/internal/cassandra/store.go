package cassandra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// bookingRow is the seat_index of a booking's row.
const bookingRow = -1

// Store implements booking.Store. It connects when it is first used and goes
// on trying while Cassandra is away.
type Store struct {
	cfg Config

	mu      sync.Mutex
	session *gocql.Session
	tried   time.Time
	lastErr error
}

// New returns a store that has not yet connected.
func New(cfg Config) *Store { return &Store{cfg: cfg} }

// Close ends the connections.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		s.session.Close()
	}
}

// connect returns the session. While Cassandra is away it tries once a second
// and answers the others with the last error.
func (s *Store) connect() (*gocql.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		return s.session, nil
	}
	if time.Since(s.tried) < time.Second {
		return nil, s.lastErr
	}
	cluster := s.cfg.cluster()
	cluster.Keyspace = s.cfg.Keyspace
	session, err := cluster.CreateSession()
	s.tried = time.Now()
	if err != nil {
		s.lastErr = fmt.Errorf("cassandra: connect: %w", err)
		return nil, s.lastErr
	}
	s.session = session
	return session, nil
}

const (
	casVersion = `UPDATE seats SET version = ? WHERE event_id = ? AND block_id = ? IF version = ?`
	casSeat    = `UPDATE seats SET owner = ?, state = ?, deadline = ?, home_block = ?
		WHERE event_id = ? AND block_id = ? AND seat_index = ? AND booking_id = ? IF owner = ?`
	casBooking = `UPDATE seats SET revision = ?, status = ?, booking = ?, outbox = ?, updated_at = ?
		WHERE event_id = ? AND block_id = ? AND seat_index = -1 AND booking_id = ? IF revision = ?`
	casOutbox = `UPDATE seats SET outbox = ?
		WHERE event_id = ? AND block_id = ? AND seat_index = -1 AND booking_id = ? IF revision = ?`
	insertSeat = `INSERT INTO seats (event_id, block_id, seat_index, booking_id, owner, state, deadline, home_block)
		VALUES (?, ?, ?, ?, ?, ?, 0, 0)`
)

// CommitRound implements booking.Store.
func (s *Store) CommitRound(ctx context.Context, id booking.BlockID, version int64, changes []booking.Change) (bool, booking.Current, error) {
	session, err := s.connect()
	if err != nil {
		return false, booking.Current{}, err
	}
	event := gocql.UUID(id.Event)
	batch := session.NewBatch(gocql.LoggedBatch).WithContext(ctx)
	batch.Query(casVersion, version+1, event, id.Block, version)
	for _, ch := range changes {
		for _, c := range ch.Seats {
			batch.Query(casSeat, gocql.UUID(c.To.Owner), int8(c.To.State), c.To.Deadline, c.To.Home,
				event, id.Block, c.Index, gocql.UUID{}, gocql.UUID(c.From))
		}
		if b := ch.Booking; b != nil {
			outbox, err := encodeOutbox(b.To.Outbox)
			if err != nil {
				return false, booking.Current{}, err
			}
			if b.To.Revision == b.From {
				batch.Query(casOutbox, outbox, event, id.Block, gocql.UUID(b.To.ID), b.From)
				continue
			}
			doc, err := json.Marshal(&b.To.Booking)
			if err != nil {
				return false, booking.Current{}, fmt.Errorf("encode booking: %w", err)
			}
			var from any
			if b.From > 0 {
				from = b.From
			}
			batch.Query(casBooking, b.To.Revision, string(b.To.Status), string(doc), outbox, b.To.UpdatedAt,
				event, id.Block, gocql.UUID(b.To.ID), from)
		}
	}
	return cas(session, batch)
}

// cas runs a conditional batch; when it is not applied it returns the rows it named.
func cas(session *gocql.Session, batch *gocql.Batch) (bool, booking.Current, error) {
	current := booking.Current{Owners: map[int]uuid.UUID{}, Revisions: map[uuid.UUID]int{}}
	row := newRow()
	applied, iter, err := session.MapExecuteBatchCAS(batch, row.dest)
	if err != nil {
		return false, current, outcome(err)
	}
	if applied {
		return true, current, iter.Close()
	}
	// A batch that was refused comes back with at least the row of its version.
	for ok := true; ok; ok = iter.MapScan(row.dest) {
		row.add(&current)
		row = newRow()
	}
	return false, current, outcome(iter.Close())
}

// row is one of the rows a refused batch comes back with. Pointers to pointers,
// since the values of a row that does not exist are null.
type row struct {
	dest     map[string]any
	seat     *int
	booking  *gocql.UUID
	owner    *gocql.UUID
	revision *int
	version  *int64
}

func newRow() *row {
	r := &row{}
	r.dest = map[string]any{
		"seat_index": &r.seat, "booking_id": &r.booking, "owner": &r.owner, "revision": &r.revision, "version": &r.version,
	}
	return r
}

func (r *row) add(current *booking.Current) {
	if r.version != nil {
		current.Version = *r.version
	}
	switch {
	case r.seat == nil:
	case *r.seat >= 0 && r.owner != nil:
		current.Owners[*r.seat] = uuid.UUID(*r.owner)
	case *r.seat == bookingRow && r.booking != nil && r.revision != nil:
		current.Revisions[uuid.UUID(*r.booking)] = *r.revision
	}
}

// outcome marks the errors after which a write may have happened. What did not
// reach a coordinator, or was refused by one before Paxos began, did not.
func outcome(err error) error {
	if err == nil || errors.Is(err, gocql.ErrNoConnections) || errors.Is(err, gocql.ErrSessionClosed) {
		return err
	}
	var unavailable *gocql.RequestErrUnavailable
	if errors.As(err, &unavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", booking.ErrUnknown, err)
}

// CreateBlock implements booking.Store.
func (s *Store) CreateBlock(ctx context.Context, id booking.BlockID, seats []booking.Seat) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	event := gocql.UUID(id.Event)
	batch := session.NewBatch(gocql.LoggedBatch).WithContext(ctx)
	batch.Query(casVersion, int64(1), event, id.Block, nil)
	for i, seat := range seats {
		batch.Query(insertSeat, event, id.Block, i, gocql.UUID{}, gocql.UUID(seat.Owner), int8(seat.State))
	}
	_, _, err = cas(session, batch)
	return err
}

// ReadBlock implements booking.Store.
func (s *Store) ReadBlock(ctx context.Context, id booking.BlockID) (booking.Block, error) {
	var block booking.Block
	session, err := s.connect()
	if err != nil {
		return block, err
	}
	iter := session.Query(`SELECT version, seat_index, owner, state, deadline, home_block FROM seats
		WHERE event_id = ? AND block_id = ? AND seat_index >= 0`, gocql.UUID(id.Event), id.Block).
		PageSize(2 * booking.BlockSize).WithContext(ctx).Iter()
	var (
		index int
		owner gocql.UUID
		state int8
		seat  booking.Seat
	)
	for iter.Scan(&block.Version, &index, &owner, &state, &seat.Deadline, &seat.Home) {
		if index != len(block.Seats) {
			return block, errors.Join(fmt.Errorf("event %s, block %d: seat %d has no row", id.Event, id.Block, len(block.Seats)), iter.Close())
		}
		seat.Owner, seat.State = uuid.UUID(owner), booking.State(state)
		block.Seats = append(block.Seats, seat)
	}
	return block, iter.Close()
}

// ReadVersions implements booking.Store.
func (s *Store) ReadVersions(ctx context.Context, event uuid.UUID, n int) ([]int64, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	const chunk = 50
	versions := make([]int64, n)
	for first := 1; first <= n; first += chunk {
		var blocks []int
		for b := first; b < first+chunk && b <= n; b++ {
			blocks = append(blocks, b)
		}
		iter := session.Query(`SELECT DISTINCT event_id, block_id, version FROM seats WHERE event_id = ? AND block_id IN ?`,
			gocql.UUID(event), blocks).WithContext(ctx).Iter()
		var id gocql.UUID
		var block int
		var version int64
		for iter.Scan(&id, &block, &version) {
			versions[block-1] = version
		}
		if err := iter.Close(); err != nil {
			return nil, err
		}
	}
	return versions, nil
}

// encodeOutbox returns null for an empty outbox.
func encodeOutbox(messages []booking.Message) (any, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	o, err := json.Marshal(messages)
	if err != nil {
		return nil, fmt.Errorf("encode outbox: %w", err)
	}
	return string(o), nil
}

func decode(doc, outbox string, rec *booking.Record) error {
	if err := json.Unmarshal([]byte(doc), &rec.Booking); err != nil {
		return fmt.Errorf("decode booking: %w", err)
	}
	if outbox == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(outbox), &rec.Outbox); err != nil {
		return fmt.Errorf("decode outbox: %w", err)
	}
	return nil
}
