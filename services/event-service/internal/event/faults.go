package event

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// maxFaults limits the response to a request with very many invalid fields.
const maxFaults = 100

// faults collects the invalid fields of a request, up to maxFaults.
type faults []problem.Field

func (f *faults) add(field, code, message string) {
	if !f.full() {
		*f = append(*f, problem.Field{Field: field, Code: code, Message: message})
	}
}

func (f *faults) full() bool { return len(*f) >= maxFaults }

// err returns nil if there are no faults.
func (f *faults) err() error {
	if len(*f) == 0 {
		return nil
	}
	return problem.Invalid(*f...)
}

// text checks a line of 1 to maxLen characters and returns it without
// surrounding space. Control characters are refused: no name has them, and
// Postgres can't store NUL.
func (f *faults) text(field, value string, maxLen int) string {
	value = strings.TrimSpace(value)
	if value == "" {
		f.add(field, "required", "must not be empty")
		return ""
	}
	f.characters(field, value, maxLen, unicode.IsControl)
	return value
}

// prose checks multi-line text that may be empty.
func (f *faults) prose(field, value string, maxLen int) string {
	f.characters(field, value, maxLen, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
	return value
}

func (f *faults) characters(field, value string, maxLen int, refused func(rune) bool) {
	// A rune has at least one byte: most values need no count.
	if len(value) > maxLen && utf8.RuneCountInString(value) > maxLen {
		f.add(field, "too_long", fmt.Sprintf("must have at most %d characters", maxLen))
	} else if strings.ContainsFunc(value, refused) {
		f.add(field, "invalid", "must not have control characters")
	}
}

// zone checks a name of the IANA time zone database.
func (f *faults) zone(field, value string) {
	if value == "" {
		f.add(field, "required", "must be an IANA time zone, such as Europe/Berlin")
		return
	}
	if _, err := time.LoadLocation(value); err != nil || value == "Local" {
		f.add(field, "invalid", "must be an IANA time zone, such as Europe/Berlin")
	}
}

// time checks an RFC 3339 time and returns it in UTC, in microseconds as stored
// by Postgres.
func (f *faults) time(field, value string) time.Time {
	if value == "" {
		f.add(field, "required", "must be an RFC 3339 time, such as 2027-05-01T19:30:00Z")
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		f.add(field, "invalid", "must be an RFC 3339 time, such as 2027-05-01T19:30:00Z")
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// count checks an integer between bounds; nil means fallback.
func (f *faults) count(field string, value *int, lowest, highest, fallback int) int {
	if value == nil {
		return fallback
	}
	if *value < lowest || *value > highest {
		f.add(field, "out_of_range", fmt.Sprintf("must be from %d to %d", lowest, highest))
	}
	return *value
}

// isSlug reports whether s is 1 to maxLen of A–Z, a–z, 0–9, _ and -.
func isSlug(s string, maxLen int) bool {
	if len(s) < 1 || len(s) > maxLen {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
