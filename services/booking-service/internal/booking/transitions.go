package booking

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Cancel ends a user's booking and gives its seats back; money follows.
// Errors: NotFound, NotCancellable.
func (s *Service) Cancel(ctx context.Context, user, id uuid.UUID) (Booking, error) {
	ref, found, err := s.store.FindBooking(ctx, user, id)
	if err != nil {
		return Booking{}, err
	}
	if !found {
		return Booking{}, refuse(NotFound)
	}
	in, err := s.store.CheckIns(ctx, ref.BlockID)
	if err != nil {
		return Booking{}, err
	}
	rec, err := s.update(ctx, ref, func(r *Record) (bool, error) {
		switch {
		case r.UserID != user || r.Status == Refused:
			return false, refuse(NotFound)
		case r.Status.Live() && r.entered(in):
			return false, refuse(NotCancellable)
		case r.Status.Live():
			s.end(ctx, r, Cancelled, events.CancelledByBuyer)
			return true, nil
		case r.Status == Cancelled && r.Reason == events.CancelledByBuyer:
			return false, nil
		}
		return false, refuse(NotCancellable)
	})
	return rec.Booking, err
}

// PaymentConfirmed confirms a booking whose price was captured. If the hold has
// ended it asks for the money to be given back.
func (s *Service) PaymentConfirmed(ctx context.Context, p events.PaymentConfirmed) error {
	ref := Ref{BlockID{p.EventID, p.HomeBlock}, p.BookingID}
	_, err := s.update(ctx, ref, func(r *Record) (bool, error) {
		known := r.Payment != nil && r.Payment.ID == p.PaymentID
		switch {
		case r.Status == Held:
			now := s.clock.Now()
			r.Status, r.ConfirmedAt = Confirmed, &now
			r.Payment = &Payment{ID: p.PaymentID, Status: PaymentSucceeded}
			return true, nil
		case r.Status == Confirmed:
			if !known {
				slog.ErrorContext(ctx, "a second payment was captured for a confirmed booking", "booking", r.ID, "payment", p.PaymentID)
			}
			return false, nil
		case known && (r.Payment.Status == PaymentRefunding || r.Payment.Status == PaymentRefunded):
			return false, nil
		}
		r.Payment = &Payment{ID: p.PaymentID, Status: PaymentRefunding}
		r.Outbox = append(r.Outbox, s.cancelled(ctx, &r.Booking, events.PaymentLate))
		return true, nil
	})
	if refusedFor(err, NotFound) {
		// Paid for nothing that is stored: the money goes back, and the id is
		// closed to whoever may still be writing it.
		slog.WarnContext(ctx, "a payment names a booking that is not stored", "booking", p.BookingID, "payment", p.PaymentID)
		return s.fence(ctx, ref, func(r *Record) {
			r.Payment = &Payment{ID: p.PaymentID, Status: PaymentRefunding}
			r.Outbox = append(r.Outbox, s.cancelled(ctx, &r.Booking, events.PaymentLate))
		})
	}
	return err
}

// PaymentFailed notes a declined attempt; the hold stays for another.
func (s *Service) PaymentFailed(ctx context.Context, p events.PaymentFailed) error {
	ref := Ref{BlockID{p.EventID, p.HomeBlock}, p.BookingID}
	_, err := s.update(ctx, ref, func(r *Record) (bool, error) {
		if r.Status != Held || r.Payment != nil && r.Payment.ID == p.PaymentID {
			return false, nil
		}
		r.Payment = &Payment{ID: p.PaymentID, Status: PaymentDeclined, FailureCode: p.FailureCode}
		return true, nil
	})
	return err
}

// PaymentRefunded notes that the money of an ended booking is back.
func (s *Service) PaymentRefunded(ctx context.Context, p events.PaymentRefunded) error {
	ref := Ref{BlockID{p.EventID, p.HomeBlock}, p.BookingID}
	_, err := s.update(ctx, ref, func(r *Record) (bool, error) {
		if r.Payment != nil && r.Payment.ID == p.PaymentID && r.Payment.Status == PaymentRefunded {
			return false, nil
		}
		if r.Status == Confirmed && r.Payment != nil && r.Payment.ID == p.PaymentID {
			// No seat is kept without its money either.
			s.end(ctx, r, Cancelled, p.Reason)
		}
		r.Payment = &Payment{ID: p.PaymentID, Status: PaymentRefunded}
		return true, nil
	})
	return err
}

// expire ends a hold whose deadline has passed.
func (s *Service) expire(ctx context.Context, ref Ref) (Record, error) {
	return s.update(ctx, ref, func(r *Record) (bool, error) {
		if r.Status != Held || s.clock.Now().Before(r.ExpiresAt) {
			return false, nil
		}
		if r.Payment != nil && r.Payment.Status == PaymentDeclined {
			s.end(ctx, r, PaymentFailed, events.PaymentDeclined)
		} else {
			s.end(ctx, r, Expired, events.HoldExpired)
		}
		return true, nil
	})
}

// end moves a live record to a final status and tells payment-service.
func (s *Service) end(ctx context.Context, r *Record, status Status, reason events.CancelReason) {
	now := s.clock.Now()
	r.Status, r.Reason, r.EndedAt = status, reason, &now
	if r.Payment != nil && r.Payment.Status == PaymentSucceeded {
		r.Payment = &Payment{ID: r.Payment.ID, Status: PaymentRefunding}
	}
	r.Outbox = append(r.Outbox, s.cancelled(ctx, &r.Booking, reason))
}

func (s *Service) cancelled(ctx context.Context, b *Booking, reason events.CancelReason) Message {
	now := s.clock.Now()
	return message(ctx, now, events.TopicBookingCancelled, events.TypeBookingCancelled, events.BookingCancelled{
		BookingID: b.ID, EventID: b.Home.Event, HomeBlock: b.Home.Block, UserID: b.UserID, Reason: reason, CancelledAt: now,
	})
}

func message(ctx context.Context, now time.Time, topic, ceType string, payload any) Message {
	data, err := json.Marshal(payload)
	if err != nil {
		panic("booking: a message cannot be encoded: " + err.Error()) // plain structs always can
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return Message{ID: uuid.Must(uuid.NewV7()), Topic: topic, Type: ceType, Time: now, Data: data, Traceparent: carrier["traceparent"]}
}
