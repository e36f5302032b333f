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

// Store implements eventlog.Store. It connects when first used, and keeps
// retrying while Cassandra is down.
type Store struct {
	cfg Config

	mu      sync.Mutex
	session *gocql.Session
	tried   time.Time
	lastErr error
}

var _ eventlog.Store = (*Store)(nil)

// New returns a store that has not connected yet.
func New(cfg Config) *Store { return &Store{cfg: cfg} }

// Close closes the connections.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		s.session.Close()
	}
}

// connect returns the session. While Cassandra is down it retries once a
// second; calls in between return the last error.
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

// outcome wraps the error of a write in ErrUnavailable if the write certainly
// did not happen, because no coordinator got it or the coordinator found too
// few replicas to begin, and in ErrUnknown otherwise.
func outcome(what string, err error) error {
	if err == nil {
		return nil
	}
	kind := eventlog.ErrUnknown
	var tooFewReplicas *gocql.RequestErrUnavailable
	if errors.Is(err, gocql.ErrNoConnections) || errors.Is(err, gocql.ErrSessionClosed) || errors.As(err, &tooFewReplicas) {
		kind = eventlog.ErrUnavailable
	}
	return fmt.Errorf("%w: cassandra: %s: %w", kind, what, err)
}

// readFailed wraps the error of a read.
func readFailed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: cassandra: %s: %w", eventlog.ErrUnavailable, what, err)
}

// exec runs an unconditional write, which must be safe to repeat.
func (s *Store) exec(ctx context.Context, what, statement string, values ...any) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	return outcome(what, session.Query(statement, values...).Consistency(gocql.Quorum).WithContext(ctx).Exec())
}

// scan reads one row. If there is none, into is unchanged.
func (s *Store) scan(ctx context.Context, consistency gocql.Consistency, what string, into any, statement string, values ...any) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	err = session.Query(statement, values...).Consistency(consistency).WithContext(ctx).Scan(into)
	if errors.Is(err, gocql.ErrNotFound) {
		return nil
	}
	return readFailed(what, err)
}

// query reads many rows at QUORUM, in pages of page rows. The iterator fetches
// the pages.
func (s *Store) query(ctx context.Context, page int, statement string, values ...any) (*gocql.Iter, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	return session.Query(statement, values...).Consistency(gocql.Quorum).PageSize(page).WithContext(ctx).Iter(), nil
}
