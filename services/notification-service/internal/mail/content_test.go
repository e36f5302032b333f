package mail

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

const publicURL = "https://tickets.example"

var kinds = []Kind{
	VerifyEmail, AlreadyRegistered, ResetPassword, ConfirmOldEmail, ConfirmNewEmail, PasswordChanged, EmailChanged,
	SecondFactorChanged, AccountDeleted, Tickets, PaymentFailed, Refunded, EventChanged, EventCancelled,
}

// booking returns a confirmed booking of two seats, one of them in a standing
// area.
func booking() events.BookingRecord {
	starts := time.Date(2026, 12, 4, 18, 30, 0, 0, time.UTC)
	return events.BookingRecord{
		BookingID: uuid.MustParse("0193b3a0-5555-7abc-8def-000000000001"), OrderNumber: "K7QM-29XD", Status: "confirmed",
		EventID: uuid.MustParse("0193b3a0-5555-7abc-8def-000000000002"), EventVersion: 3,
		EventName: "Łukasz & Őri <live>", VenueName: "Große Halle, Berlin", TimeZone: "Europe/Berlin",
		StartsAt: starts, EndsAt: starts.Add(150 * time.Minute), ExpiresAt: starts.Add(-48 * time.Hour),
		Total: events.Money{Amount: 7450, Currency: "EUR"},
		Tickets: []events.TicketRecord{
			{
				ConfirmedSeat: events.ConfirmedSeat{
					ID: "1-12", Section: "Stalls", Row: "C", Number: "12", TicketType: "Premium", Price: 4500,
				},
				Code: code("1-12"),
			},
			{
				ConfirmedSeat: events.ConfirmedSeat{ID: "2-7", Section: "Arena", Number: "7", TicketType: "Standing", Price: 2950},
				Code:          code("2-7"),
			},
		},
	}
}

// code returns a text as long as the code of a ticket.
func code(seat string) string {
	return "FR1.0123abcd." + strings.Repeat("eyJ0Ijoi", 24) + seat + "." + strings.Repeat("Az0_-9", 14) + "xy"
}

// content returns what a mail of a kind says.
func content(kind Kind, language string) Content {
	b := booking()
	c := Content{
		Kind: kind, PublicURL: publicURL + "/", Account: events.Account{Name: "Zoë <b>Müller</b>", Language: language},
		NewEmail: "new@example.org", Booking: &b,
	}
	switch kind {
	case VerifyEmail, ResetPassword, ConfirmOldEmail, ConfirmNewEmail:
		c.Token, c.ExpiresAt = "Zx-9_tokenOf43Characters", time.Date(2026, 11, 30, 20, 43, 0, 0, time.UTC)
	case PaymentFailed:
		b.Status, c.FailureCode = "held", "card_declined"
	case Refunded, EventCancelled:
		b.Status, b.Tickets, c.Amount, c.Reason = "cancelled", nil, b.Total, events.CancelledByBuyer
	case EventChanged:
		c.Before = &EventFacts{
			Name: b.EventName, VenueName: b.VenueName, TimeZone: b.TimeZone, StartsAt: b.StartsAt, EndsAt: b.EndsAt, Version: 3,
		}
		after := *c.Before
		after.VenueName, after.StartsAt, after.Version = "Kleine Halle", b.StartsAt.Add(time.Hour), 4
		c.After = &after
	default:
	}
	return c
}

func mustRender(t *testing.T, c Content) Message {
	t.Helper()
	m, err := Render(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
