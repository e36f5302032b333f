package booking_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

// slowStore answers for an event's definition when it is told to.
type slowStore struct {
	*bookingtest.Store
	asked atomic.Int32
	now   chan struct{}
}

func (s *slowStore) ReadEvent(ctx context.Context, id uuid.UUID) (*booking.Event, error) {
	s.asked.Add(1)
	<-s.now
	return s.Store.ReadEvent(ctx, id)
}

func TestRushOnANewSaleReadsItOnce(t *testing.T) {
	w := newWorld(t, 1, nil)
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{Store: w.store, now: make(chan struct{})}
		inv := booking.NewInventory(store)
		committer := booking.NewCommitter(store, inv, bookingtest.NoFeed{}, "late")
		late := booking.NewService(store, bookingtest.ColdLocks{}, w.outbox, committer, inv, w.clock)
		var known atomic.Int32
		for range 50 {
			go func() {
				sale, err := late.Sale(t.Context(), w.def.EventID)
				if err != nil || sale == nil {
					t.Errorf("sale %v, error %v", sale, err)
					return
				}
				known.Add(1)
			}()
		}
		synctest.Wait()
		close(store.now)
		synctest.Wait()
		if store.asked.Load() != 1 || known.Load() != 50 {
			t.Errorf("read %d times, known to %d of 50", store.asked.Load(), known.Load())
		}
	})
}
