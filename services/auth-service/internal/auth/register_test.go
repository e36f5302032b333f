package auth

import (
	"errors"
	"strings"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestDomainKnowsNoDrivers(t *testing.T) {
	testkit.AssertNoDrivers(t, "github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth")
}

func TestRegistrationNamesEveryWrongField(t *testing.T) {
	good := Registration{Email: "a@b.example", Password: "12345678", Name: "A"}
	with := func(change func(*Registration)) Registration { r := good; change(&r); return r }
	for name, c := range map[string]struct {
		r    Registration
		want string
	}{
		"all wrong":           {Registration{}, "email password name"},
		"display name":        {with(func(r *Registration) { r.Email = "A <a@b.example>" }), "email"},
		"no domain":           {with(func(r *Registration) { r.Email = "a" }), "email"},
		"overlong e-mail":     {with(func(r *Registration) { r.Email = strings.Repeat("a", 250) + "@b.example" }), "email"},
		"short password":      {with(func(r *Registration) { r.Password = "1234567" }), "password"},
		"overlong password":   {with(func(r *Registration) { r.Password = strings.Repeat("ä", 129) }), "password"},
		"longest password":    {with(func(r *Registration) { r.Password = strings.Repeat("ä", 128) }), ""},
		"blank name":          {with(func(r *Registration) { r.Name = "  " }), "name"},
		"U+0000 in the name":  {with(func(r *Registration) { r.Name = "a\x00b" }), "name"},
		"capitals and spaces": {with(func(r *Registration) { r.Email = " A@B.Example " }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.r.normalized()
			var fields []string
			var p *problem.Error
			if errors.As(err, &p) {
				for _, f := range p.Fields {
					fields = append(fields, f.Field)
				}
			}
			if got := strings.Join(fields, " "); got != c.want {
				t.Errorf("wrong fields %q, want %q", got, c.want)
			}
		})
	}
}
