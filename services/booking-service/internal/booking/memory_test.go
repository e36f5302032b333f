package booking_test

import (
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

func TestMemoryStoreConforms(t *testing.T) { bookingtest.Conformance(t, bookingtest.NewStore()) }

func TestDomainImportsNoDriver(t *testing.T) {
	testkit.AssertNoDrivers(t, "github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking")
}
