package auth

import (
	"testing"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestDomainImportsNoDriver(t *testing.T) {
	testkit.AssertNoDrivers(t, "github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth")
}

func TestRegistrationIsNormalized(t *testing.T) {
	good := rest.Registration{Email: " A@B.Example ", Password: "12345678", Name: " A "}
	if got, err := normalized(good); err != nil || got != (rest.Registration{Email: "a@b.example", Password: "12345678", Name: "A"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, wrong := range map[string]string{"blank": " \u00a0", "with U+0000": "a\x00b"} {
		good.Name = wrong
		_, err := normalized(good)
		if p := problem.From(err); err == nil || p.Code != "validation_failed" || p.Fields[0].Field != "name" {
			t.Errorf("a name that is %s: %v", name, err)
		}
	}
}
