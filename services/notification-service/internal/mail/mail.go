// Package mail renders the mails to buyers and their attachments. It is pure:
// the same content gives the same bytes.
package mail

import (
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Kind says what a mail is about. The kinds of account mails are those of
// events.MailKind.
type Kind string

// Kinds of mails.
const (
	VerifyEmail         = Kind(events.MailVerifyEmail)
	AlreadyRegistered   = Kind(events.MailAlreadyRegistered)
	ResetPassword       = Kind(events.MailResetPassword)
	ConfirmOldEmail     = Kind(events.MailConfirmOldEmail)
	ConfirmNewEmail     = Kind(events.MailConfirmNewEmail)
	PasswordChanged     = Kind(events.MailPasswordChanged)
	EmailChanged        = Kind(events.MailEmailChanged)
	SecondFactorChanged = Kind(events.MailSecondFactorChanged)
	AccountDeleted      = Kind(events.MailAccountDeleted)

	Tickets       Kind = "tickets"
	PaymentFailed Kind = "payment_failed"
	Refunded      Kind = "refunded"
	EventChanged  Kind = "event_changed"
	// EventCancelled announces the refund, which has a mail of its own.
	EventCancelled Kind = "event_cancelled"
)

// Content is what a mail says. Fields that its kind does not use are zero.
type Content struct {
	Kind    Kind
	Account events.Account
	// PublicURL is the base of the links.
	PublicURL string
	// Token is the secret of the link, valid until ExpiresAt.
	Token     string
	ExpiresAt time.Time
	NewEmail  string
	// Booking is required unless the mail is about an account.
	Booking *events.BookingRecord
	// Amount and Reason describe a refund.
	Amount events.Money
	Reason events.CancelReason
	// FailureCode is the API's FailureCode of the failed payment.
	FailureCode string
	// Before and After are required in EventChanged.
	Before, After *EventFacts
}

// EventFacts are the facts of an event that matter to its visitors.
type EventFacts struct {
	Name, VenueName, TimeZone string
	StartsAt, EndsAt          time.Time
	// Version orders the facts of one event.
	Version int64
}

// Message is a mail without its envelope. Subject is a single line.
type Message struct {
	Subject, Text, HTML string
	Attachments         []Attachment
}

// Attachment is a file in a mail.
type Attachment struct {
	Name, ContentType string
	Data              []byte
}

// Render returns the mail in the account's language, or in English if there is
// no translation. It returns an error if the content lacks what its kind needs
// or names an unknown time zone.
func Render(c Content) (Message, error) {
	m, err := render(c)
	if err != nil {
		return Message{}, fmt.Errorf("render %s: %w", c.Kind, err)
	}
	return m, nil
}

func render(c Content) (Message, error) {
	t := forLanguage(c.Account.Language)
	l, err := newLetter(c, t)
	if err != nil {
		return Message{}, err
	}
	m, err := t.message(l)
	if err != nil {
		return Message{}, err
	}
	if c.Kind == Tickets {
		pdf, err := TicketsPDF(*c.Booking, t.language)
		if err != nil {
			return Message{}, err
		}
		m.Attachments = append(m.Attachments, Attachment{
			Name: "tickets-" + c.Booking.OrderNumber + ".pdf", ContentType: "application/pdf", Data: pdf,
		})
	}
	if c.Kind == Tickets || c.Kind == EventChanged {
		m.Attachments = append(m.Attachments, Attachment{
			Name: "event-" + c.Booking.OrderNumber + ".ics", ContentType: "text/calendar; charset=utf-8; method=PUBLISH",
			Data: Calendar(current(c), c.PublicURL),
		})
	}
	return m, nil
}

// current returns the booking with the facts that the mail announces: the record
// may be older than the change.
func current(c Content) events.BookingRecord {
	b := *c.Booking
	if a := c.After; a != nil {
		b.EventName, b.VenueName, b.TimeZone, b.StartsAt, b.EndsAt = a.Name, a.VenueName, a.TimeZone, a.StartsAt, a.EndsAt
		b.EventVersion = max(b.EventVersion, a.Version)
	}
	return b
}
