package cassandra

import (
	"context"

	"github.com/gocql/gocql"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

const (
	// userBuckets is the number of partitions shared by all users, so that one
	// batch writes the rows of many users. It must never change: rows are not
	// moved.
	userBuckets = 64
	// batchBytes limits the size of a batch.
	batchBytes = 64 << 10
	// rowBytes is the approximate size of a row without its data.
	rowBytes = 64
	// bucketsAtOnce is the number of buckets written concurrently.
	bucketsAtOnce    = 2
	userBookingsPage = 200
)

// bucketOf uses the last byte of the user's UUID, which is random.
func bucketOf(user uuid.UUID) int { return int(user[15]) % userBuckets }

// SaveBookings implements eventlog.Store. A row's timestamp is its Seq, so that
// a late writer does not replace a newer version.
func (s *Store) SaveBookings(ctx context.Context, rows []eventlog.UserBooking) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	byBucket := map[int][]eventlog.UserBooking{}
	for _, row := range rows {
		bucket := bucketOf(row.User)
		byBucket[bucket] = append(byBucket[bucket], row)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bucketsAtOnce)
	for bucket, rows := range byBucket {
		group.Go(func() error { return saveBucket(ctx, session, bucket, rows) })
	}
	return outcome("save bookings of users", group.Wait())
}

// saveBucket writes the rows of one bucket, in batches of at most batchBytes. A
// larger row has its own batch.
func saveBucket(ctx context.Context, session *gocql.Session, bucket int, rows []eventlog.UserBooking) error {
	for len(rows) > 0 {
		batch := session.NewBatch(gocql.UnloggedBatch).WithContext(ctx)
		batch.SetConsistency(gocql.Quorum)
		n, size := 0, 0
		for ; n < len(rows); n++ {
			if size += len(rows[n].Data) + rowBytes; n > 0 && size > batchBytes {
				break
			}
			batch.Query(`INSERT INTO user_bookings (bucket, user_id, booking_id, data) VALUES (?, ?, ?, ?) USING TIMESTAMP ?`,
				bucket, gocql.UUID(rows[n].User), gocql.UUID(rows[n].Booking), rows[n].Data, rows[n].Seq)
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
	iter, err := s.query(ctx, userBookingsPage,
		`SELECT booking_id, data FROM user_bookings WHERE bucket = ? AND user_id = ?`, bucketOf(user), gocql.UUID(user))
	if err != nil {
		return nil, err
	}
	var all []eventlog.UserBooking
	var id gocql.UUID
	var data []byte
	for iter.Scan(&id, &data) {
		all = append(all, eventlog.UserBooking{User: user, Booking: uuid.UUID(id), Data: data})
		data = nil // otherwise gocql would overwrite this row with the next
	}
	if err := iter.Close(); err != nil {
		return nil, readFailed("list bookings of user", err)
	}
	return all, nil
}
