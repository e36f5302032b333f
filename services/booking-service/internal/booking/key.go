package booking

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
)

// keyedTimeout bounds an attempt under a key.
const keyedTimeout = 8 * time.Second

// keyedID derives the id of a booking made under an Idempotency-Key from user,
// key and request, so that every attempt means the same booking: a UUIDv8.
func keyedID(req HoldRequest) uuid.UUID {
	sum := sha256.New()
	sum.Write(req.User[:])
	sum.Write([]byte(req.Key))
	sum.Write(req.Hash)
	id := uuid.UUID(sum.Sum(nil)[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// replay returns the booking that an earlier request with the same key made.
// open is where that booking would be, when the request is on record and its
// booking is not: it died, or is still under way.
func (s *Service) replay(ctx context.Context, req HoldRequest) (b Booking, found bool, open *Ref, err error) {
	ref, hash, found, err := s.store.FindKey(ctx, req.User, req.Key)
	if err != nil || !found {
		return b, false, nil, err
	}
	if !bytes.Equal(hash, req.Hash) {
		return b, false, nil, refuse(KeyReused)
	}
	rec, err := s.store.ReadBooking(ctx, ref, true)
	switch {
	case err != nil:
		return b, false, nil, err
	case rec.Revision == 0:
		return b, false, &ref, nil
	case rec.Status == Refused && len(req.Seats) == 0:
		return b, false, nil, refuse(NotEnoughSeats)
	case rec.Status == Refused:
		return b, false, nil, refuse(SeatsTaken, req.Seats...)
	}
	s.publish(rec)
	return asMade(rec.Booking), true, nil, nil
}

// refuseForGood closes the id of a booking before its key is answered with no:
// an earlier attempt under the key may still be under way. If that was faster
// its booking is the answer.
func (s *Service) refuseForGood(ctx context.Context, req HoldRequest, ref Ref, refusal *Refusal) (Booking, bool, error) {
	if err := s.fence(ctx, ref, func(r *Record) { r.UserID = req.User }); err != nil {
		return Booking{}, false, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	b, made, _, err := s.replay(ctx, req)
	if made {
		return b, true, nil
	}
	var closed *Refusal
	if err != nil && !errors.As(err, &closed) {
		return b, false, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return b, false, refusal
}

// asMade returns a booking as it was when it was made.
func asMade(b Booking) Booking {
	b.Status, b.Reason, b.ConfirmedAt, b.EndedAt, b.Payment = Held, "", nil, nil, nil
	return b
}

var errTwin = errors.New("another request with this key is under way")

// awaitTwin answers with the booking that a request with the same key, under
// way just now, is making.
func (s *Service) awaitTwin(ctx context.Context, h *hold) (Booking, bool, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 10*time.Millisecond, 200*time.Millisecond
	b, err := backoff.Retry(ctx, func() (Booking, error) {
		b, found, _, err := s.replay(ctx, h.HoldRequest)
		if err == nil && !found {
			err = errTwin
		}
		var r *Refusal
		if errors.As(err, &r) {
			err = backoff.Permanent(err)
		}
		return b, err
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(3*time.Second))
	var r *Refusal
	if err != nil && !errors.As(err, &r) {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return b, true, err
}

// alreadyHeld answers a hold whose booking's row was there: the same request,
// sent before. Seats of this attempt that the row does not list go back.
func (s *Service) alreadyHeld(ctx context.Context, h *hold) (Booking, bool, error) {
	again := h.record(ctx, s.clock.Now())
	ref := again.Ref()
	rec, err := s.store.ReadBooking(ctx, ref, true)
	if err != nil {
		return Booking{}, false, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	s.release(ctx, ref, groupByBlock(h.seats))
	if rec.Status == Refused {
		s.releaseLocks(ctx, h)
		return Booking{}, false, refuse(SeatsTaken, h.seats...)
	}
	if h.Key == "" {
		// The round was made, but its answer was lost, and with it whether the
		// booking can be found.
		if err := s.store.IndexBookings(ctx, []IndexEntry{{ref, h.User, rec.CreatedAt.UnixMilli()}}); err != nil {
			return Booking{}, false, fmt.Errorf("%w: index: %w", ErrUnknown, err)
		}
	}
	s.publish(rec)
	return asMade(rec.Booking), true, nil
}
