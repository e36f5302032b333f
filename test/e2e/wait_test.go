package e2e

import (
	"fmt"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// seatID names a seat.
func seatID(block, index int) string { return fmt.Sprintf("%d-%d", block, index) }

// awaitEvent waits until an event has a status.
func awaitEvent(t *testing.T, id, status string) {
	t.Helper()
	testkit.Eventually(t, "the event becomes "+status, func() bool {
		event, err := visitor().Event(t.Context(), id)
		return err == nil && event.Status == status
	})
}

// awaitRefund waits until a booking reports its payment as refunded.
func awaitRefund(t *testing.T, buyer account, bookingID string) client.Booking {
	t.Helper()
	return awaitBookingIs(t, buyer, bookingID, "refunded", func(b client.Booking) bool {
		return b.Payment.Status == "refunded"
	})
}
