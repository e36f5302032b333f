package mail

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // time zones must not depend on the machine
	"unicode"

	"github.com/bojanz/currency"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// line returns text that others wrote as a single line: without control
// characters, which could add a header to a mail, and without marks that change
// the direction of the text around them.
func line(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}

// money formats an amount as the language writes it, with as many decimals as
// the currency has: €45.00, 45,00 €, ¥4,500.
func (t *templates) money(m events.Money) string {
	amount, err := currency.NewAmountFromInt64(m.Amount, m.Currency)
	if err != nil { // a currency that CLDR no longer lists
		return fmt.Sprintf("%d.%02d %s", m.Amount/100, m.Amount%100, m.Currency)
	}
	return currency.NewFormatter(currency.NewLocale(t.language)).Format(amount)
}

var (
	germanDays   = [...]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"}
	germanMonths = [...]string{
		"Januar", "Februar", "März", "April", "Mai", "Juni",
		"Juli", "August", "September", "Oktober", "November", "Dezember",
	}
)

// date formats a day: Friday, December 4, 2026; Freitag, 4. Dezember 2026.
func (t *templates) date(at time.Time) string {
	if t.language == "de" {
		return fmt.Sprintf("%s, %d. %s %d", germanDays[at.Weekday()], at.Day(), germanMonths[at.Month()-1], at.Year())
	}
	return at.Format("Monday, January 2, 2006")
}

// clock formats a time of day: 7:30 PM; 19:30.
func (t *templates) clock(at time.Time) string {
	if t.language == "de" {
		return at.Format("15:04")
	}
	return at.Format("3:04\u00a0PM")
}

// dateTime formats a time and names its zone, an IANA name:
// Friday, December 4, 2026 at 7:30 PM (Europe/Berlin).
func (t *templates) dateTime(at time.Time, zone string) (string, error) {
	local, err := inZone(at, zone)
	if err != nil {
		return "", err
	}
	if t.language == "de" {
		return fmt.Sprintf("%s um %s Uhr (%s)", t.date(local), t.clock(local), zoneName(zone)), nil
	}
	return fmt.Sprintf("%s at %s (%s)", t.date(local), t.clock(local), zoneName(zone)), nil
}

func inZone(at time.Time, zone string) (time.Time, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("load time zone: %w", err)
	}
	return at.In(location), nil
}

func zoneName(zone string) string { return strings.ReplaceAll(zone, "_", " ") }
