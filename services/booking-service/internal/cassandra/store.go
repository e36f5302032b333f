package cassandra

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gocql/gocql"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// serial reads finish the lightweight transactions under way.
const serial = gocql.Consistency(gocql.Serial)

// Store implements eventlog.Store. It connects when it is first used and goes
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
		s.lastErr = fmt.Errorf("%w: cassandra: connect: %w", eventlog.ErrUnavailable, err)
		return nil, s.lastErr
	}
	s.session = session
	return session, nil
}

// outcome marks the errors after which a write may have happened. What did not
// reach a coordinator, or was refused by one before Paxos began, did not.
func outcome(err error) error {
	if errors.Is(err, gocql.ErrNoConnections) || errors.Is(err, gocql.ErrSessionClosed) {
		return fmt.Errorf("%w: cassandra: %w", eventlog.ErrUnavailable, err)
	}
	var unavailable *gocql.RequestErrUnavailable
	if errors.As(err, &unavailable) {
		return fmt.Errorf("%w: cassandra: %w", eventlog.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: cassandra: %w", eventlog.ErrUnknown, err)
}

// exec runs a statement that writes, plainly.
func (s *Store) exec(ctx context.Context, statement string, values ...any) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	if err := session.Query(statement, values...).Consistency(gocql.Quorum).WithContext(ctx).Exec(); err != nil {
		return fmt.Errorf("cassandra: %w", err)
	}
	return nil
}

// scan reads one row; found is false when there is none.
func (s *Store) scan(ctx context.Context, consistency gocql.Consistency, into []any, statement string, values ...any) (found bool, err error) {
	session, err := s.connect()
	if err != nil {
		return false, err
	}
	err = session.Query(statement, values...).Consistency(consistency).WithContext(ctx).Scan(into...)
	if errors.Is(err, gocql.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cassandra: %w", err)
	}
	return true, nil
}
