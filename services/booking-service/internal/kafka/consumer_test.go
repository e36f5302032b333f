package kafka

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

func newService() *booking.Service {
	store := bookingtest.NewStore()
	inv := booking.NewInventory(store)
	return booking.NewService(store, bookingtest.ColdLocks{}, &bookingtest.Outbox{},
		booking.NewCommitter(store, inv, bookingtest.NoFeed{}, "test"), inv, clock.System{})
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What can never be applied must not keep a partition from going on.
func TestWhatCanNeverBeAppliedIsPoison(t *testing.T) {
	service := newService()
	good, bad := bookingtest.Definition(1), bookingtest.Definition(1)
	bad.Blocks[0].Rows[0].Blocked = []int{99}
	stranger := events.PaymentConfirmed{PaymentID: uuid.New(), BookingID: uuid.New(), EventID: uuid.New(), HomeBlock: 1}
	for name, c := range map[string]struct {
		handler kafka.Handler
		message kafka.Message
		poison  bool
	}{
		"a good event":               {EventChanges(service), kafka.Message{Type: events.TypeEventChanged, Data: encoded(t, good)}, false},
		"a plan against itself":      {EventChanges(service), kafka.Message{Type: events.TypeEventChanged, Data: encoded(t, bad)}, true},
		"no JSON":                    {EventChanges(service), kafka.Message{Type: events.TypeEventChanged, Data: []byte("{")}, true},
		"an unknown type":            {Payments(service), kafka.Message{Type: "other", Data: []byte("{}")}, true},
		"a payment for no event":     {Payments(service), kafka.Message{Type: events.TypePaymentConfirmed, Data: encoded(t, stranger)}, true},
		"a decline for no booking":   {Payments(service), kafka.Message{Type: events.TypePaymentFailed, Data: encoded(t, events.PaymentFailed{})}, true},
		"an unknown type for events": {EventChanges(service), kafka.Message{Type: "other"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.handler(t.Context(), []kafka.Message{c.message})
			var each *kafka.BatchError
			if errors.As(err, &each) {
				err = each.Errs[0]
			}
			if kafka.IsPoison(err) != c.poison || !c.poison && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}
