// Package notification says which message causes which mail.
package notification

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
)

// AccountKinds are the kinds of account mails.
var AccountKinds = []mail.Kind{
	mail.VerifyEmail, mail.AlreadyRegistered, mail.ResetPassword, mail.ConfirmOldEmail, mail.ConfirmNewEmail,
	mail.PasswordChanged, mail.EmailChanged, mail.SecondFactorChanged, mail.AccountDeleted,
}

// Kinds returns all kinds.
func Kinds() []mail.Kind {
	return append([]mail.Kind{
		mail.Tickets, mail.PaymentFailed, mail.Refunded, mail.EventChanged, mail.EventCancelled,
	}, AccountKinds...)
}

// Mail is a mail that a message asked for.
type Mail struct {
	// Reason is unique: there is one mail for a reason.
	Reason  string
	Kind    mail.Kind
	Content Content
	// Trace is the trace context of the message.
	Trace map[string]string
}

// Traced is the data of a message with the message's trace context.
type Traced[T any] struct {
	Data  T
	Trace map[string]string
}

// Content is what a mail says and what cannot be fetched when it is sent.
type Content struct {
	// Account is the recipient of an account mail. Other mails go to the user of
	// BookingID.
	Account   *events.Account     `json:"account,omitempty"`
	Token     string              `json:"token,omitempty"`
	ExpiresAt time.Time           `json:"expires_at,omitzero"`
	NewEmail  string              `json:"new_email,omitempty"`
	BookingID uuid.UUID           `json:"booking_id,omitzero"`
	Amount    events.Money        `json:"amount,omitzero"`
	Reason    events.CancelReason `json:"reason,omitempty"`
	Failure   string              `json:"failure,omitempty"`
	Before    *mail.EventFacts    `json:"before,omitempty"`
	After     *mail.EventFacts    `json:"after,omitempty"`
}

// OfConfirmation returns the mail with the tickets.
func OfConfirmation(b events.BookingConfirmed) Mail {
	return Mail{
		Reason: fmt.Sprintf("tickets/%s", b.BookingID), Kind: mail.Tickets,
		Content: Content{BookingID: b.BookingID},
	}
}

// OfCancelledEvent returns the mail about the cancellation of a confirmed
// booking's event.
func OfCancelledEvent(booking uuid.UUID) Mail {
	return Mail{
		Reason: fmt.Sprintf("event_cancelled/%s", booking), Kind: mail.EventCancelled,
		Content: Content{BookingID: booking},
	}
}

// OfFailure returns the mail about a payment that was declined.
func OfFailure(p events.PaymentFailed) Mail {
	return Mail{
		Reason: fmt.Sprintf("payment_failed/%s", p.PaymentID), Kind: mail.PaymentFailed,
		Content: Content{BookingID: p.BookingID, Failure: p.FailureCode},
	}
}

// OfRefund returns the mail about a refund.
func OfRefund(p events.PaymentRefunded) Mail {
	return Mail{
		Reason: fmt.Sprintf("refunded/%s", p.PaymentID), Kind: mail.Refunded,
		Content: Content{BookingID: p.BookingID, Amount: p.Amount, Reason: p.Reason},
	}
}

// OfAccountMail returns the mail that auth-service asked for.
func OfAccountMail(m events.AccountMail) Mail {
	return Mail{
		Reason: fmt.Sprintf("account/%s", m.ID), Kind: mail.Kind(m.Kind),
		Content: Content{Account: &m.Account, Token: m.Token, ExpiresAt: m.ExpiresAt, NewEmail: m.NewEmail},
	}
}

// OfChange returns the mail about a changed event, without user and booking:
// the store completes it for each user with a confirmed booking.
func OfChange(event uuid.UUID, version int64, before, after mail.EventFacts) Mail {
	return Mail{
		Reason: fmt.Sprintf("event_changed/%s/%d", event, version), Kind: mail.EventChanged,
		Content: Content{Before: &before, After: &after},
	}
}

// Facts returns what buyers need to know of an event.
func Facts(e events.EventChanged) mail.EventFacts {
	return mail.EventFacts{
		Name: e.Name, VenueName: e.VenueName, TimeZone: e.TimeZone, StartsAt: e.StartsAt.UTC(), EndsAt: e.EndsAt.UTC(),
		Version: e.Version,
	}
}

// Differ reports whether buyers must learn of the difference.
func Differ(before, after mail.EventFacts) bool {
	return before.Name != after.Name || before.VenueName != after.VenueName ||
		!before.StartsAt.Equal(after.StartsAt) || !before.EndsAt.Equal(after.EndsAt)
}
