package event_test

import (
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestDomainImportsNoDriver(t *testing.T) {
	testkit.AssertNoDrivers(t, "github.com/frontrow-tickets/frontrow/services/event-service/internal/event")
}
