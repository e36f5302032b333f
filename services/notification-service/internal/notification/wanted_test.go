package notification_test

import (
	"errors"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/notification"
)

func TestMailIsSentOnlyWhileItIsWanted(t *testing.T) {
	now := time.Date(2026, 11, 29, 20, 0, 0, 0, time.UTC)
	const wanted, unwanted, early = "wanted", "unwanted", "early"
	for name, tc := range map[string]struct {
		kind    mail.Kind
		status  string
		expires time.Time // of the hold or, without status, of the link
		want    string
	}{
		"tickets of a confirmed booking":        {mail.Tickets, "confirmed", time.Time{}, wanted},
		"tickets of a booking that seems held":  {mail.Tickets, "held", now, early},
		"tickets of a cancelled booking":        {mail.Tickets, "cancelled", time.Time{}, unwanted},
		"failed payment of a hold":              {mail.PaymentFailed, "held", now.Add(time.Second), wanted},
		"failed payment of a hold that ran out": {mail.PaymentFailed, "held", now.Add(-time.Second), unwanted},
		"failed payment of a confirmed booking": {mail.PaymentFailed, "confirmed", now.Add(time.Second), unwanted},
		"failed payment of an expired booking":  {mail.PaymentFailed, "payment_failed", now, unwanted},
		"refund of a cancelled booking":         {mail.Refunded, "cancelled", time.Time{}, wanted},
		"cancelled event":                       {mail.EventCancelled, "cancelled", time.Time{}, wanted},
		"changed event":                         {mail.EventChanged, "confirmed", time.Time{}, wanted},
		"link that is valid":                    {mail.ResetPassword, "", now.Add(time.Second), wanted},
		"link that has expired":                 {mail.ResetPassword, "", now.Add(-time.Second), unwanted},
		"notice without a link":                 {mail.PasswordChanged, "", time.Time{}, wanted},
	} {
		m := notification.Mail{Kind: tc.kind}
		var booking *events.BookingRecord
		if tc.status == "" {
			m.Content.ExpiresAt = tc.expires
		} else {
			booking = &events.BookingRecord{Status: tc.status, ExpiresAt: tc.expires}
		}
		got := wanted
		err := m.Wanted(now, booking)
		var reason *notification.UnwantedError
		switch {
		case errors.As(err, &reason):
			got = unwanted
		case errors.Is(err, notification.ErrTooEarly):
			got = early
		case err != nil:
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

func TestDomainImportsNoDriver(t *testing.T) {
	testkit.AssertNoDrivers(t, "github.com/frontrow-tickets/frontrow/services/notification-service/internal/notification")
}
