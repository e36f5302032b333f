package booking_test

import (
	"regexp"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

func TestOrderNumberIsFixedAndHasNoLookAlikes(t *testing.T) {
	if got := booking.OrderNumber(uuid.MustParse("0193b3a0-1111-7abc-8def-000000000001")); got != "RLE3-8DWR" {
		t.Errorf("OrderNumber = %s: printed numbers must not change", got)
	}
	form := regexp.MustCompile(`^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$`)
	seen := map[string]bool{}
	for range 10_000 {
		n := booking.OrderNumber(uuid.New())
		if !form.MatchString(n) {
			t.Fatalf("OrderNumber = %s", n)
		}
		seen[n] = true
	}
	if len(seen) < 9_998 {
		t.Errorf("%d numbers for 10,000 bookings", len(seen))
	}
}

func TestAttendeesAreFoundByWhatPeopleSay(t *testing.T) {
	a := booking.Attendee{Booking: uuid.New(), Holder: "Ada@example.org", Seat: booking.BookedSeat{Section: "Front Stalls", Row: "C", Number: "12"}}
	number := a.OrderNumber()
	for text, want := range map[string]bool{
		"": true, " ": true, "ada": true, "EXAMPLE.org": true, number: true, number[:4] + number[5:]: true, number[5:]: true,
		"front st": true, "front stalls c 12": true, "c 12": true, "C 1": true, "c": true, "12": false, "stalls": false, "bob": false, "0000-0000": false,
	} {
		if got := a.Matches(text); got != want {
			t.Errorf("Matches(%q) = %v", text, got)
		}
	}
}
