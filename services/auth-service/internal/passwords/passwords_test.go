package passwords

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

func TestCheckRefusesShortAndCommonPasswords(t *testing.T) {
	for name, c := range map[string]struct {
		password string
		admin    bool
		code     string
	}{
		"uncommon":                       {"vV7-uncommon", false, ""},
		"of 8 characters":                {"vV7-unco", false, ""},
		"of 7 characters":                {"vV7-unc", false, "too_short"},
		"of 8 characters in 16 bytes":    {"äöüßéèêë", false, ""},
		"of 7 characters in 14 bytes":    {"äöüßéèê", false, "too_short"},
		"common":                         {"password1", false, "common_password"},
		"common, in capitals":            {"PassWord1", false, "common_password"},
		"digits":                         {"12345678", false, "common_password"},
		"of 128 characters":              {strings.Repeat("long ", 25) + "abc", false, ""},
		"an admin's of 12 characters":    {"vV7-uncommon", true, ""},
		"an admin's of 11 characters":    {"vV7-uncommo", true, "too_short"},
		"an admin's that is common":      {"1234567891011", true, "common_password"},
		"spaces only, which NIST allows": {"            ", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(c.password, c.admin)
			var p *problem.Error
			code := ""
			if errors.As(err, &p) {
				code = p.Fields[0].Code
			}
			if code != c.code || code != "" && (p.Code != problem.CodeValidationFailed || p.Fields[0].Field != "password") {
				t.Errorf("Check = %v, want %q", err, c.code)
			}
		})
	}
}

func TestTheListHasThousandsOfPasswords(t *testing.T) {
	if n := len(common()); n < 8000 {
		t.Errorf("the list has %d passwords", n)
	}
	for p := range common() {
		if p != strings.ToLower(p) || utf8.RuneCountInString(p) < MinLength {
			t.Errorf("%q can never be found", p)
		}
	}
}
