package event

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// maxFieldErrors limits the response to a request with very many invalid fields.
const maxFieldErrors = 100

// fieldErrors collects the invalid fields of a request, up to maxFieldErrors.
type fieldErrors []problem.Field

func (f *fieldErrors) add(field, code, message string) {
	if !f.full() {
		*f = append(*f, problem.Field{Field: field, Code: code, Message: message})
	}
}

func (f *fieldErrors) full() bool { return len(*f) >= maxFieldErrors }

// err returns nil if there are none.
func (f *fieldErrors) err() error {
	if len(*f) == 0 {
		return nil
	}
	return problem.Invalid(*f...)
}

// text returns a line of text without surrounding space. It must not be blank
// or have control characters: no name has them, and Postgres can't store NUL.
func (f *fieldErrors) text(field, value string) string {
	value = strings.TrimSpace(value)
	if value == "" {
		f.add(field, "required", "must not be blank")
	}
	f.characters(field, value, unicode.IsControl)
	return value
}

// line is text of at most maxLen characters.
func (f *fieldErrors) line(field, value string, maxLen int) string {
	value = f.text(field, value)
	// A rune has at least one byte: most values need no count.
	if len(value) > maxLen && utf8.RuneCountInString(value) > maxLen {
		f.add(field, "too_long", fmt.Sprintf("must have at most %d characters", maxLen))
	}
	return value
}

// prose checks multi-line text that may be empty.
func (f *fieldErrors) prose(field, value string) {
	f.characters(field, value, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
}

func (f *fieldErrors) characters(field, value string, refused func(rune) bool) {
	if strings.ContainsFunc(value, refused) {
		f.add(field, "invalid", "must not have control characters")
	}
}

// zone checks a name of the IANA time zone database.
func (f *fieldErrors) zone(field, value string) {
	if value == "" {
		f.add(field, "required", "must be an IANA time zone, such as Europe/Berlin")
		return
	}
	if _, err := time.LoadLocation(value); err != nil || value == "Local" {
		f.add(field, "invalid", "must be an IANA time zone, such as Europe/Berlin")
	}
}

// time returns a time in UTC, in microseconds as Postgres stores it. It must not
// be before 1970: cursors of lists count from there.
func (f *fieldErrors) time(field string, t time.Time) time.Time {
	if t.Year() < 1970 {
		f.add(field, "invalid", "must not be before 1970")
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
