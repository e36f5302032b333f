package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func TestViewsMatchTheContract(t *testing.T) {
	now, price := time.Now().UTC(), events.Money{Amount: 4500, Currency: "EUR"}
	seat := booking.BookedSeat{
		ID: booking.SeatID{Block: 12, Index: 45}, Section: "Pit", Number: "46", TicketTypeID: "pit", TicketTypeName: "Pit", Price: price,
	}
	held := booking.Document{
		ID: uuid.New(), EventID: uuid.New(), EventName: "Trio", Status: booking.Held, Seats: []booking.BookedSeat{seat}, Total: price,
		CreatedAt: now, ExpiresAt: now,
	}
	ended := held
	ended.Status, ended.Reason, ended.ConfirmedAt, ended.EndedAt = booking.Cancelled, events.CancelledByBuyer, &now, &now
	ended.Payment = &booking.Payment{ID: uuid.New(), Status: booking.PaymentRefunding}
	forged := booking.Scan{ID: uuid.Must(uuid.NewV7()), Result: booking.Forged, At: now}
	used := forged
	used.Result, used.AdmittedAt, used.Ticket, used.Seat, used.Holder = booking.AlreadyUsed, &now, uuid.New(), &seat, "a@b.example"
	for name, tc := range map[string]struct {
		view   any
		absent []string
	}{
		"a held booking":      {view(&held), []string{"reason", "confirmed_at", "ended_at", "payment", "row"}},
		"an ended booking":    {view(&ended), []string{"failure_code"}},
		"a forged ticket":     {presentScan(held.EventID, &forged), []string{"admitted_at", "ticket_id", "seat", "holder"}},
		"a ticket used twice": {presentScan(held.EventID, &used), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if err := rest.Check(tc.view); err != nil {
				t.Error(err)
			}
			body, err := json.Marshal(tc.view)
			if err != nil {
				t.Fatal(err)
			}
			for _, member := range tc.absent {
				if strings.Contains(string(body), `"`+member+`"`) {
					t.Errorf("%s is in %s", member, body)
				}
			}
		})
	}
}
