package notification

import (
	"errors"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
)

// UnwantedError says why a mail must not be sent any more.
type UnwantedError struct{ Why string }

// Error returns the reason.
func (e *UnwantedError) Error() string { return e.Why }

// ErrTooEarly says that booking-service does not know yet what caused the mail.
var ErrTooEarly = errors.New("booking is not confirmed yet")

// Wanted returns nil if a mail can be sent now. booking is the record of the
// mail's booking; account mails have none. Errors: *UnwantedError, ErrTooEarly.
func (m Mail) Wanted(now time.Time, booking *events.BookingRecord) error {
	if expires := m.Content.ExpiresAt; !expires.IsZero() && now.After(expires) {
		return &UnwantedError{"its link has expired"}
	}
	if booking == nil {
		return nil
	}
	status := rest.BookingStatus(booking.Status)
	switch m.Kind {
	case mail.Tickets:
		switch status {
		case rest.BookingStatusConfirmed:
		case rest.BookingStatusHeld: // a replica that lags behind
			return ErrTooEarly
		default:
			return &UnwantedError{"the booking has ended"}
		}
	case mail.PaymentFailed:
		if status != rest.BookingStatusHeld || now.After(booking.ExpiresAt) {
			return &UnwantedError{"the booking can no longer be paid"}
		}
	default:
	}
	return nil
}
