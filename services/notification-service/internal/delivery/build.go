package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/notification"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/records"
)

// build fetches what a mail says and renders it. Error:
// *notification.UnwantedError.
func (s *Sender) build(ctx context.Context, m postgres.Due) (to string, message mail.Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	c := mail.Content{
		Kind: m.Kind, PublicURL: s.PublicURL, Token: m.Content.Token, ExpiresAt: m.Content.ExpiresAt,
		NewEmail: m.Content.NewEmail, Amount: m.Content.Amount, Reason: m.Content.Reason, FailureCode: m.Content.Failure,
		Before: m.Content.Before, After: m.Content.After,
	}
	if m.Content.Account == nil {
		booking, err := s.Records.BookingRecord(ctx, m.Content.BookingID)
		if err != nil {
			return "", message, fmt.Errorf("fetch booking: %w", err)
		}
		c.Booking = &booking
	}
	if err := m.Wanted(time.Now(), c.Booking); err != nil {
		return "", message, err
	}
	if m.Content.Account != nil {
		c.Account = *m.Content.Account
	} else {
		c.Account, err = s.Records.Account(ctx, c.Booking.UserID)
		if errors.Is(err, records.ErrNotFound) {
			return "", message, &notification.UnwantedError{Why: "the account was deleted"}
		}
		if err != nil {
			return "", message, fmt.Errorf("fetch account: %w", err)
		}
	}
	if message, err = mail.Render(c); err != nil {
		return "", message, fmt.Errorf("render mail: %w", err)
	}
	return c.Account.Email, message, nil
}
