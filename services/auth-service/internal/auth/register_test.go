package auth

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestDomainImportsNoDriver(t *testing.T) {
	testkit.AssertNoDrivers(t, "github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth")
}

func TestNameIsTrimmedAndMustBeText(t *testing.T) {
	if got, err := normalizeName(" A "); err != nil || got != "A" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, wrong := range map[string]string{"blank": " \u00a0", "with U+0000": "a\x00b"} {
		_, err := normalizeName(wrong)
		if p := problem.From(err); err == nil || p.Code != "validation_failed" || p.Fields[0].Field != "name" {
			t.Errorf("a name that is %s: %v", name, err)
		}
	}
}

func TestKnownAndUnknownEmailTakeTheSameWork(t *testing.T) {
	s, w, _ := newService(t)
	register := func(email string) []derivation {
		t.Helper()
		r := rest.Registration{Email: email, Password: password, Name: "A"}
		if err := s.Register(t.Context(), Caller{Client: client}, r); err != nil {
			t.Fatal(err)
		}
		return w.take()
	}
	known, unknown := register(email), register("new@example.com")
	if len(known) != 1 || !cmp.Equal(known, unknown, cmp.AllowUnexported(derivation{})) {
		t.Errorf("work for a known e-mail %+v, for an unknown one %+v", known, unknown)
	}
}
