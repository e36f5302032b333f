package events_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

func samples() map[string]any {
	id, now, price := uuid.Must(uuid.NewV7()), time.Now().UTC(), events.Money{Amount: 9000, Currency: "EUR"}
	return map[string]any{
		events.TypeBookingCreated: events.BookingCreated{
			BookingID: id, EventID: id, UserID: id, Total: price, CreatedAt: now, ExpiresAt: now.Add(time.Minute),
		},
		events.TypeBookingConfirmed: events.BookingConfirmed{
			BookingID: id, OrderNumber: "K7QM-29XD", EventID: id, UserID: id, PaymentID: id, Total: price, ConfirmedAt: now,
			Seats: []events.ConfirmedSeat{{ID: "12-45", Section: "Stalls", Row: "A", Number: "3", TicketType: "Front", Price: 9000}},
		},
		events.TypeBookingCancelled: events.BookingCancelled{
			BookingID: id, EventID: id, UserID: id, Reason: events.PaymentLate, CancelledAt: now,
		},
		events.TypePaymentConfirmed: events.PaymentConfirmed{
			PaymentID: id, BookingID: id, EventID: id, Amount: price, CapturedAt: now,
		},
		events.TypePaymentFailed: events.PaymentFailed{
			PaymentID: id, BookingID: id, EventID: id, FailureCode: "card_declined", FailedAt: now,
		},
		events.TypePaymentRefunded: events.PaymentRefunded{
			PaymentID: id, BookingID: id, EventID: id, Amount: price, Reason: events.EventCancelled, RefundedAt: now,
		},
		events.TypeEventChanged: events.EventChanged{
			EventID: id, Version: 2, Status: events.StatusPublished, OrganizerID: id, Name: "Late Night Trio", VenueName: "Small Hall",
			TimeZone: "Europe/Vienna", StartsAt: now, EndsAt: now, Currency: "EUR", SaleStartsAt: now, SaleEndsAt: now,
			MaxSeatsPerBuyer: 8, HoldSeconds: 600,
			TicketTypes: []events.TicketType{{ID: "front", Name: "Front", Category: "front", Price: 4500}},
			Blocks: []events.Block{
				{Section: "Stalls", Rows: []events.Row{{Label: "A", First: 1, Runs: []events.Run{{Category: "front", Count: 3}}, Blocked: []int{2}}}},
				{Section: "Pit", GeneralAdmission: true, Rows: []events.Row{{First: 1, Runs: []events.Run{{Category: "floor", Count: 50}}}}},
			},
		},
		events.TypeAccountMail: events.AccountMail{
			ID: id, Kind: events.MailConfirmNewEmail, Account: events.Account{UserID: id, Email: "ada@example.org", Name: "Ada", Language: "de"},
			Token: strings.Repeat("a", 43), ExpiresAt: now, NewEmail: "ada@example.net", RequestedAt: now,
		},
		events.TypeAuditEntry: events.AuditEntry{
			ID: id, At: now, Action: "role_changed", ActorID: id, ActorEmail: "ada@example.org", Subject: id.String(),
			Address: "192.0.2.1", UserAgent: "curl/8", Details: map[string]string{"from": "customer", "to": "organizer"},
		},
		events.TypeEventAvailability: events.EventAvailability{EventID: id, Available: 10, Held: 2, Sold: 3, Total: 15, At: now},
	}
}

func TestEveryTypeMatchesItsSchema(t *testing.T) {
	for ceType, message := range samples() {
		t.Run(ceType, func(t *testing.T) {
			data, err := json.Marshal(message)
			if err != nil {
				t.Fatal(err)
			}
			if err := events.Validate(ceType, data); err != nil {
				t.Errorf("a complete message is refused: %v", err)
			}
		})
	}
}

// optional lists the members that a message may lack, by CloudEvents type.
var optional = map[string][]string{
	events.TypeAccountMail: {"token", "expires_at", "new_email"},
	events.TypeAuditEntry:  {"actor_id", "actor_email", "subject", "address", "user_agent", "details"},
}

func TestSchemaRefusesEveryMissingOrUnknownMember(t *testing.T) {
	for ceType, message := range samples() {
		t.Run(ceType, func(t *testing.T) {
			data, err := json.Marshal(message)
			if err != nil {
				t.Fatal(err)
			}
			var members map[string]any
			if err := json.Unmarshal(data, &members); err != nil {
				t.Fatal(err)
			}
			for name, value := range members {
				delete(members, name)
				if accepted := validate(t, ceType, members) == nil; accepted != slices.Contains(optional[ceType], name) {
					t.Errorf("a message without %s: accepted %v", name, accepted)
				}
				members[name] = value
			}
			members["surplus"] = true
			if validate(t, ceType, members) == nil {
				t.Error("a message with an unknown member is accepted")
			}
		})
	}
}

func TestSchemaRefusesWrongValues(t *testing.T) {
	tests := []struct{ name, ceType, member, value string }{
		{"an id that is no UUID", events.TypeBookingCreated, "booking_id", `"12"`},
		{"a negative amount", events.TypePaymentConfirmed, "amount", `{"amount":-1,"currency":"EUR"}`},
		{"a time without a zone", events.TypePaymentRefunded, "refunded_at", `"2026-01-01T10:00:00"`},
		{"an unknown reason", events.TypeBookingCancelled, "reason", `"boredom"`},
		{"an unknown failure", events.TypePaymentFailed, "failure_code", `"bad_luck"`},
		{"a booking without seats", events.TypeBookingConfirmed, "seats", `[]`},
		{
			"a seat without a block", events.TypeBookingConfirmed, "seats",
			`[{"id":"45","section":"Stalls","row":"A","number":"3","ticket_type":"Front","price":9000}]`,
		},
		{"a null list", events.TypeEventChanged, "blocks", `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := json.Marshal(samples()[tt.ceType])
			if err != nil {
				t.Fatal(err)
			}
			var members map[string]any
			if err := json.Unmarshal(data, &members); err != nil {
				t.Fatal(err)
			}
			members[tt.member] = json.RawMessage(tt.value)
			if validate(t, tt.ceType, members) == nil {
				t.Errorf("%s = %s is accepted", tt.member, tt.value)
			}
		})
	}
}

func TestUnknownTypeHasNoSchema(t *testing.T) {
	err := events.Validate("frontrow.booking.created.v9", []byte(`{}`))
	if err == nil || !strings.Contains(err.Error(), "v9") {
		t.Errorf("got %v, want an error that names the type", err)
	}
}

func validate(t *testing.T, ceType string, members map[string]any) error {
	t.Helper()
	data, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return events.Validate(ceType, data)
}
