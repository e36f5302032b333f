package cassandra

import (
	"context"
	"fmt"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// onSale is the one partition of the list of events: some thousand rows.
const onSale = 0

// List implements eventlog.Store.
func (s *Store) List(ctx context.Context) ([]eventlog.Listed, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(`SELECT event, ends_at FROM events_on_sale WHERE bucket = ?`, onSale).Consistency(gocql.Quorum).WithContext(ctx).Iter()
	var all []eventlog.Listed
	var id gocql.UUID
	var endsAt time.Time
	for iter.Scan(&id, &endsAt) {
		all = append(all, eventlog.Listed{Event: uuid.UUID(id), EndsAt: endsAt})
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: list events: %w", err)
	}
	return all, nil
}

// Enlist implements eventlog.Store.
func (s *Store) Enlist(ctx context.Context, e eventlog.Listed) error {
	return s.exec(ctx, `INSERT INTO events_on_sale (bucket, event, ends_at) VALUES (?, ?, ?)`, onSale, gocql.UUID(e.Event), e.EndsAt)
}

const (
	// buckets of the users' lists: users share partitions, so that one batch
	// writes the rows of many.
	buckets = 64
	// batchBytes bounds a batch.
	batchBytes = 48 << 10
)

func bucketOf(user uuid.UUID) int { return int(user[15]) % buckets }

// SaveBookings implements eventlog.Store.
func (s *Store) SaveBookings(ctx context.Context, rows []eventlog.UserBooking) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	byBucket := map[int][]eventlog.UserBooking{}
	for _, row := range rows {
		byBucket[bucketOf(row.User)] = append(byBucket[bucketOf(row.User)], row)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for bucket, rows := range byBucket {
		group.Go(func() error { return saveBucket(ctx, session, bucket, rows) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("cassandra: save users' bookings: %w", err)
	}
	return nil
}

func saveBucket(ctx context.Context, session *gocql.Session, bucket int, rows []eventlog.UserBooking) error {
	for len(rows) > 0 {
		batch := session.NewBatch(gocql.UnloggedBatch).WithContext(ctx)
		batch.SetConsistency(gocql.Quorum)
		n := 0
		for size := 0; n < len(rows) && (n == 0 || size+len(rows[n].Data) <= batchBytes); n++ {
			size += len(rows[n].Data)
			batch.Query(`INSERT INTO user_bookings (bucket, user_id, booking_id, data) VALUES (?, ?, ?, ?)`,
				bucket, gocql.UUID(rows[n].User), gocql.UUID(rows[n].Booking), rows[n].Data)
		}
		if err := session.ExecuteBatch(batch); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// UserBookings implements eventlog.Store.
func (s *Store) UserBookings(ctx context.Context, user uuid.UUID) ([]eventlog.UserBooking, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(`SELECT booking_id, data FROM user_bookings WHERE bucket = ? AND user_id = ?`, bucketOf(user), gocql.UUID(user)).
		Consistency(gocql.Quorum).WithContext(ctx).Iter()
	var all []eventlog.UserBooking
	var id gocql.UUID
	row := eventlog.UserBooking{User: user}
	for iter.Scan(&id, &row.Data) {
		row.Booking = uuid.UUID(id)
		all = append(all, row)
		row.Data = nil
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: bookings of a user: %w", err)
	}
	return all, nil
}
