package edge

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// fakeQueue responds to fetches of a queue's state.
type fakeQueue struct {
	required, fails atomic.Bool
	fetches         atomic.Int64
	// refused and holds count what fetches have reported.
	refused, holds atomic.Int64
	// takes is how long a fetch takes.
	takes time.Duration
}

func (q *fakeQueue) fetch(ctx context.Context, _ uuid.UUID, since figures) (bool, error) {
	q.fetches.Add(1)
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-time.After(q.takes):
	}
	if q.fails.Load() {
		return false, errors.New("booking-service is down")
	}
	q.refused.Add(int64(since.refused))
	q.holds.Add(int64(len(since.holds)))
	return q.required.Load(), nil
}

func TestConcurrentFirstUsesShareAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{takes: queueWait / 2}
		q.required.Store(true)
		a := newAdmissions(nil, q.fetch)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if !a.required(t.Context(), uuid.Max) {
					t.Error("the queue is not required")
				}
			})
		}
		wg.Wait()
		if n := q.fetches.Load(); n != 1 {
			t.Errorf("%d fetches", n)
		}
		a.required(t.Context(), uuid.Nil)
		if n := q.fetches.Load(); n != 2 {
			t.Errorf("%d fetches for two events", n)
		}
	})
}

func TestKnownStateIsUsedWhileItIsRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{takes: time.Millisecond}
		q.required.Store(true)
		a := newAdmissions(nil, q.fetch)
		a.required(t.Context(), uuid.Max)
		q.required.Store(false)
		time.Sleep(queueFresh)
		if !a.required(t.Context(), uuid.Max) || q.fetches.Load() != 1 {
			t.Errorf("a fresh state was fetched again: %d fetches", q.fetches.Load())
		}
		time.Sleep(time.Nanosecond)
		for range 10 {
			if !a.required(t.Context(), uuid.Max) {
				t.Error("the known state was not used during the refresh")
			}
		}
		time.Sleep(q.takes)
		synctest.Wait()
		if a.required(t.Context(), uuid.Max) || q.fetches.Load() != 2 {
			t.Errorf("the refreshed state is not used after %d fetches", q.fetches.Load())
		}
	})
}

func TestLastKnownStateStaysWhileBookingServiceIsDown(t *testing.T) {
	for _, required := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			q := &fakeQueue{}
			q.required.Store(required)
			a := newAdmissions(nil, q.fetch)
			a.required(t.Context(), uuid.Max)
			q.fails.Store(true)
			q.required.Store(!required)
			for range 5 {
				time.Sleep(queueFresh + 1)
				if got := a.required(t.Context(), uuid.Max); got != required {
					t.Errorf("required is %t, last known %t", got, required)
				}
				synctest.Wait()
			}
			if n := q.fetches.Load(); n != 6 {
				t.Errorf("%d fetches", n)
			}
			q.fails.Store(false)
			time.Sleep(queueFresh + 1)
			a.required(t.Context(), uuid.Max)
			synctest.Wait()
			if got := a.required(t.Context(), uuid.Max); got == required {
				t.Error("the state is not refreshed after the outage")
			}
		})
	}
}

func TestUnknownStateDelaysNobodyForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{takes: 2 * queueTimeout}
		q.required.Store(true)
		a := newAdmissions(nil, q.fetch)
		began := time.Now()
		if a.required(t.Context(), uuid.Max) || time.Since(began) != queueWait {
			t.Errorf("an unknown state was required, or waited for %v", time.Since(began))
		}
		time.Sleep(queueTimeout)
		synctest.Wait()
		began = time.Now()
		if a.required(t.Context(), uuid.Max) || time.Since(began) != 0 {
			t.Errorf("waited for %v after a failed fetch", time.Since(began))
		}
		time.Sleep(2 * queueTimeout)
	})
}

func TestEachHoldIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{takes: time.Millisecond}
		q.required.Store(true)
		a := newAdmissions(nil, q.fetch)
		a.required(t.Context(), uuid.Max)
		for range 3 {
			a.observe(uuid.Max.String(), time.Second)
			time.Sleep(requiredFresh + 1)
			a.required(t.Context(), uuid.Max)
			synctest.Wait()
			a.observe(uuid.Max.String(), time.Second) // during the fetch
			time.Sleep(q.takes)
			synctest.Wait()
		}
		if n := q.holds.Load(); n != 5 {
			t.Errorf("%d holds reported, want all but the last of 6", n)
		}
	})
	f := figures{holds: []time.Duration{3, 1, 2}}
	if f.p99() != 3 || (figures{}).p99() != 0 {
		t.Errorf("p99 %v of %v, and %v of none", f.p99(), f.holds, (figures{}).p99())
	}
}

func TestEachRefusalIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{takes: time.Millisecond}
		q.required.Store(true)
		a := newAdmissions(nil, q.fetch)
		a.required(t.Context(), uuid.Max)
		for n := range 6 {
			q.fails.Store(n == 1)
			a.count(uuid.Max, func(f *figures) { f.refused++ })
			time.Sleep(queueFresh + 1)
			a.required(t.Context(), uuid.Max)
			synctest.Wait()
			a.count(uuid.Max, func(f *figures) { f.refused++ }) // during the fetch
			time.Sleep(q.takes)
			synctest.Wait()
		}
		if n := q.refused.Load(); n != 11 {
			t.Errorf("%d refusals reported, want all but the last of 12", n)
		}
	})
}
