package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
)

func confirmation(b events.BookingRecord) events.BookingConfirmed {
	seats := make([]events.ConfirmedSeat, len(b.Tickets))
	for i, s := range b.Tickets {
		seats[i] = s.ConfirmedSeat
	}
	return events.BookingConfirmed{
		BookingID: b.BookingID, OrderNumber: b.OrderNumber, EventID: b.EventID, UserID: b.UserID, PaymentID: uuid.New(),
		Total: b.Total, Seats: seats, ConfirmedAt: time.Now().UTC(),
	}
}

func cancellation(b events.BookingRecord, reason events.CancelReason) events.BookingCancelled {
	return events.BookingCancelled{
		BookingID: b.BookingID, EventID: b.EventID, UserID: b.UserID, Reason: reason, CancelledAt: time.Now().UTC(),
	}
}

// secretToken is the token of every link.
var secretToken = strings.Repeat("secret-token-", 4)[:43]

func accountMail(kind events.MailKind, a events.Account) events.AccountMail {
	m := events.AccountMail{ID: uuid.New(), Kind: kind, Account: a, RequestedAt: time.Now().UTC()}
	switch kind {
	case events.MailVerifyEmail, events.MailResetPassword, events.MailConfirmOldEmail, events.MailConfirmNewEmail:
		m.Token, m.ExpiresAt = secretToken, time.Now().Add(time.Hour).UTC()
	default:
	}
	switch kind {
	case events.MailConfirmOldEmail, events.MailConfirmNewEmail, events.MailEmailChanged:
		m.NewEmail = "new@example.com"
	default:
	}
	return m
}

// typeOf returns the topic and the type of a message.
func typeOf(v any) (topic, typ string) {
	switch v.(type) {
	case events.BookingConfirmed:
		return events.TopicBookingConfirmed, events.TypeBookingConfirmed
	case events.BookingCancelled:
		return events.TopicBookingCancelled, events.TypeBookingCancelled
	case events.PaymentConfirmed:
		return events.TopicPaymentProcessed, events.TypePaymentConfirmed
	case events.PaymentFailed:
		return events.TopicPaymentProcessed, events.TypePaymentFailed
	case events.PaymentRefunded:
		return events.TopicPaymentProcessed, events.TypePaymentRefunded
	case events.EventChanged:
		return events.TopicEventChanged, events.TypeEventChanged
	case events.AccountMail:
		return events.TopicAccountMail, events.TypeAccountMail
	}
	panic(fmt.Sprintf("unknown message %T", v))
}

// publish sends messages. All of one topic have the same key: they arrive in
// order.
func (p *program) publish(t *testing.T, data ...any) {
	t.Helper()
	for _, v := range data {
		_, typ := typeOf(v)
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := events.Validate(typ, raw); err != nil {
			t.Fatal(err)
		}
	}
	p.publishUnchecked(t, data...)
}

// publishUnchecked is publish for messages that break their schema.
func (p *program) publishUnchecked(t *testing.T, data ...any) {
	t.Helper()
	out := make([]kafka.Message, len(data))
	for i, v := range data {
		topic, typ := typeOf(v)
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = kafka.Message{Topic: topic, Key: "key", Type: typ, Source: "/test", Data: raw}
	}
	if err := p.producer.Publish(t.Context(), out...); err != nil {
		t.Fatal(err)
	}
}
