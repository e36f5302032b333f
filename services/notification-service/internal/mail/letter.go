package mail

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// letter has what the templates of a mail may say. Text that others wrote is a
// single line.
type letter struct {
	Kind     Kind
	Language string
	// Home is the web app's address, Link the one of the button.
	Home, Link string
	// Name is empty in mails about an account: anybody can register a stranger's
	// e-mail under a name that is an advertisement.
	Name     string
	NewEmail string
	// Until is the end of the link or of the hold.
	Until string

	Event, Order  string
	Seats         int
	Total, Amount string
	// Held says that the booking can still be paid.
	Held        bool
	Reason      events.CancelReason
	FailureCode string
	Facts       []fact
}

// fact is a line of a mail's table. Old is what no longer holds.
type fact struct {
	Label  string
	Old    string
	Values []string
}

func newLetter(c Content, t *templates) (letter, error) {
	l := letter{
		Kind: c.Kind, Language: t.language, Home: strings.TrimRight(c.PublicURL, "/"),
		NewEmail: line(c.NewEmail), Reason: c.Reason, FailureCode: c.FailureCode,
	}
	var path string
	switch c.Kind {
	case VerifyEmail:
		path = "/verify#token="
	case ResetPassword:
		path = "/reset#token="
	case ConfirmOldEmail, ConfirmNewEmail:
		path = "/confirm-email#token="
	case AlreadyRegistered, PasswordChanged, EmailChanged, SecondFactorChanged:
		l.Link = l.Home + "/account"
		return l, nil
	case AccountDeleted:
		return l, nil
	case Tickets, PaymentFailed, Refunded, EventChanged, EventCancelled:
		return l, l.addBooking(c, t)
	default:
		return l, errors.New("unknown kind")
	}
	if c.Token == "" {
		return l, errors.New("token is missing")
	}
	l.Link = l.Home + path + url.QueryEscape(c.Token)
	var err error
	l.Until, err = t.dateTime(c.ExpiresAt, "UTC")
	return l, err
}

// addBooking fills the fields of a mail that is about a booking.
func (l *letter) addBooking(c Content, t *templates) error {
	b := c.Booking
	if b == nil {
		return errors.New("booking is missing")
	}
	l.Name, l.Event, l.Order, l.Seats = line(c.Account.Name), line(b.EventName), b.OrderNumber, len(b.Tickets)
	l.Held = b.Status == "held"
	l.Link = l.Home + "/bookings/" + b.BookingID.String()
	if b.Total.Amount > 0 {
		l.Total = t.money(b.Total)
	}
	starts, err := t.dateTime(b.StartsAt, b.TimeZone)
	if err != nil {
		return err
	}
	l.add(t, "order", l.Order)
	if c.Kind == EventChanged {
		return l.addChanges(c, t)
	}
	l.add(t, "event", l.Event)
	l.add(t, "venue", line(b.VenueName))
	l.add(t, "starts", starts)
	switch c.Kind {
	case Tickets:
		l.addSeats(b, t, true)
		l.add(t, "total", t.money(b.Total))
	case PaymentFailed:
		if !l.Held {
			l.Link = l.Home + "/events/" + b.EventID.String()
			return nil
		}
		if l.Until, err = t.dateTime(b.ExpiresAt, b.TimeZone); err != nil {
			return err
		}
		l.addSeats(b, t, false)
		l.add(t, "total", t.money(b.Total))
		l.add(t, "pay_until", l.Until)
	case Refunded:
		l.Amount = t.money(c.Amount)
		l.add(t, "refund", l.Amount)
	default:
	}
	return nil
}

func (l *letter) addSeats(b *events.BookingRecord, t *templates, priced bool) {
	var seats []string
	for _, ticket := range b.Tickets {
		seat := t.seat(ticket.ConfirmedSeat) + " · " + line(ticket.TicketType)
		if priced {
			seat += " · " + t.money(events.Money{Amount: ticket.Price, Currency: b.Total.Currency})
		}
		seats = append(seats, seat)
	}
	label := "seats"
	if len(seats) == 1 {
		label = "seat"
	}
	l.add(t, label, seats...)
}

// addChanges adds the facts that differ. It returns an error if none does.
func (l *letter) addChanges(c Content, t *templates) error {
	before, after := c.Before, c.After
	if before == nil || after == nil {
		return errors.New("facts of the event are missing")
	}
	l.Event = line(after.Name)
	unchanged := len(l.Facts)
	change := func(label, old, now string) {
		l.Facts = append(l.Facts, fact{Label: t.phrase("label." + label), Old: old, Values: []string{now}})
	}
	if before.Name != after.Name {
		change("event", line(before.Name), l.Event)
	}
	if before.VenueName != after.VenueName {
		change("venue", line(before.VenueName), line(after.VenueName))
	}
	for _, moment := range []struct {
		label    string
		old, now time.Time
	}{{"starts", before.StartsAt, after.StartsAt}, {"ends", before.EndsAt, after.EndsAt}} {
		if moment.old.Equal(moment.now) && before.TimeZone == after.TimeZone {
			continue
		}
		old, err := t.dateTime(moment.old, before.TimeZone)
		if err != nil {
			return fmt.Errorf("old %s: %w", moment.label, err)
		}
		now, err := t.dateTime(moment.now, after.TimeZone)
		if err != nil {
			return fmt.Errorf("new %s: %w", moment.label, err)
		}
		change(moment.label, old, now)
	}
	if len(l.Facts) == unchanged {
		return errors.New("no fact differs")
	}
	return nil
}

func (l *letter) add(t *templates, label string, values ...string) {
	l.Facts = append(l.Facts, fact{Label: t.phrase("label." + label), Values: values})
}
