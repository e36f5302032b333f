package redis

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func newLocks(t *testing.T) (*Locks, uuid.UUID) {
	t.Helper()
	client, err := redisclient.New(testkit.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	l := NewLocks(client)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = l.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait(); client.Close() })
	return l, uuid.Must(uuid.NewV7())
}

func request(event uuid.UUID, seats ...int) booking.LockRequest {
	req := booking.LockRequest{
		Event: event, Booking: uuid.Must(uuid.NewV7()), User: uuid.Must(uuid.NewV7()), Limit: 4,
		Deadline: time.Now().Add(time.Minute).UnixMilli(),
	}
	for _, i := range seats {
		req.Seats = append(req.Seats, booking.SeatID{Block: 1, Index: i})
	}
	return req
}

func take(t *testing.T, l *Locks, req booking.LockRequest, want booking.LockVerdict) booking.LockAnswer {
	t.Helper()
	answer, err := l.Take(t.Context(), req)
	if err != nil || answer.Verdict != want {
		t.Fatalf("verdict %v, want %v, error %v", answer, want, err)
	}
	return answer
}

func TestTakeIsAllOrNothingAndNamesWhatIsTaken(t *testing.T) {
	l, event := newLocks(t)
	take(t, l, request(event, 1), booking.LocksCold)
	if err := l.Warm(t.Context(), event, nil); err != nil {
		t.Fatal(err)
	}
	first := request(event, 1, 2)
	take(t, l, first, booking.LocksTaken)
	take(t, l, first, booking.LocksTaken) // a retry of the client library
	answer := take(t, l, request(event, 0, 1, 2, 3), booking.LocksRefused)
	if diff := cmp.Diff([]booking.SeatID{{Block: 1, Index: 1}, {Block: 1, Index: 2}}, answer.Taken); diff != "" {
		t.Error(diff)
	}
	take(t, l, request(event, 0, 3), booking.LocksTaken)
}

func TestBuyerLimitCountsLiveBookings(t *testing.T) {
	l, event := newLocks(t)
	if err := l.Warm(t.Context(), event, nil); err != nil {
		t.Fatal(err)
	}
	first := request(event, 0, 1, 2)
	take(t, l, first, booking.LocksTaken)
	second := request(event, 5, 6)
	second.User = first.User
	if answer := take(t, l, second, booking.LocksOverLimit); answer.Held != 3 {
		t.Errorf("held %d", answer.Held)
	}
	l.Settle(t.Context(), event, []booking.LockOutcome{{Booking: first.Booking, User: first.User, Seats: first.Seats, State: booking.Available}})
	testkit.Eventually(t, "the first booking counts no more", func() bool {
		answer, err := l.Take(t.Context(), second)
		return err == nil && answer.Verdict == booking.LocksTaken
	})
}

func TestWarmRestoresSeatsAndCounts(t *testing.T) {
	l, event := newLocks(t)
	sold := request(event, 0, 1, 2)
	outcome := booking.LockOutcome{
		Booking: sold.Booking, User: sold.User, Seats: sold.Seats, State: booking.Sold, Deadline: time.Now().Add(time.Hour).UnixMilli(),
	}
	if err := l.Warm(t.Context(), event, []booking.LockOutcome{outcome}); err != nil {
		t.Fatal(err)
	}
	take(t, l, request(event, 2), booking.LocksRefused)
	more := request(event, 7, 8)
	more.User = sold.User
	take(t, l, more, booking.LocksOverLimit)
}

func TestReleaseLeavesAnothersLock(t *testing.T) {
	l, event := newLocks(t)
	if err := l.Warm(t.Context(), event, nil); err != nil {
		t.Fatal(err)
	}
	mine := request(event, 1)
	take(t, l, mine, booking.LocksTaken)
	l.Settle(t.Context(), event, []booking.LockOutcome{
		{Booking: uuid.Must(uuid.NewV7()), Seats: mine.Seats, State: booking.Available},
		{Booking: mine.Booking, User: mine.User, State: booking.HeldSeat, Deadline: mine.Deadline},
	})
	testkit.Eventually(t, "the outcomes are written", func() bool { return len(l.settle) == 0 })
	take(t, l, request(event, 1), booking.LocksRefused)
}

func TestWordThatABookingWasPaidIsTooLateOnceItHasEnded(t *testing.T) {
	l, event := newLocks(t)
	if err := l.Warm(t.Context(), event, nil); err != nil {
		t.Fatal(err)
	}
	ended, paid := request(event, 1), request(event, 2)
	sold := func(r booking.LockRequest) booking.LockOutcome {
		return booking.LockOutcome{
			Booking: r.Booking, User: r.User, Seats: r.Seats, State: booking.Sold, Deadline: time.Now().Add(time.Hour).UnixMilli(),
		}
	}
	// Warm waits until its outcomes are written, in their order.
	if err := l.Warm(t.Context(), event, []booking.LockOutcome{
		{Booking: ended.Booking, User: ended.User, Seats: ended.Seats, State: booking.Available, Ended: true}, sold(ended), sold(paid),
	}); err != nil {
		t.Fatal(err)
	}
	next := request(event, 1)
	next.User, next.Limit = ended.User, 1
	take(t, l, next, booking.LocksTaken)
	take(t, l, request(event, 2), booking.LocksRefused)
}

func TestExclusiveBookingIsTakenOnce(t *testing.T) {
	l, event := newLocks(t)
	if err := l.Warm(t.Context(), event, nil); err != nil {
		t.Fatal(err)
	}
	req := request(event, 1)
	req.Exclusive = true
	take(t, l, req, booking.LocksTaken)
	twin := request(event, 2)
	twin.Booking, twin.Exclusive = req.Booking, true
	take(t, l, twin, booking.LocksTwin)
}

func TestLateAnswerIsNotTakenForATwin(t *testing.T) {
	l, event := newLocks(t)
	if err := l.Warm(t.Context(), event, nil); err != nil {
		t.Fatal(err)
	}
	// The client library sends the script again when the first answer is late.
	again := false
	l.client.AddHook(repeat{&again})
	req := request(event, 1)
	req.Exclusive = true
	take(t, l, req, booking.LocksTaken)
	if !again {
		t.Error("the script ran once")
	}
}

// repeat runs every EVALSHA twice and gives the second answer.
type repeat struct{ done *bool }

func (repeat) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r repeat) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := next(ctx, cmd); err != nil || cmd.Name() != "evalsha" {
			return err
		}
		*r.done = true
		return next(ctx, cmd)
	}
}

func (repeat) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
