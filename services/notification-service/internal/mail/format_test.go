package mail

import (
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
)

func TestMoneyReadsAsInTheLanguage(t *testing.T) {
	for _, c := range []struct {
		amount          int64
		currency        string
		english, german string
	}{
		{4500, "EUR", "€45.00", "45,00\u00a0€"},
		{123456789, "USD", "$1,234,567.89", "1.234.567,89\u00a0$"},
		{4500, "JPY", "¥4,500", "4.500\u00a0¥"},
		{1234500, "KWD", "KWD\u00a01,234.500", "1.234,500\u00a0KWD"},
		{4505, "DEM", "45.05 DEM", "45.05 DEM"},
	} {
		m := events.Money{Amount: c.amount, Currency: c.currency}
		if got := languages["en"].money(m); got != c.english {
			t.Errorf("%v: %q, want %q", m, got, c.english)
		}
		if got := languages["de"].money(m); got != c.german {
			t.Errorf("%v: %q, want %q", m, got, c.german)
		}
	}
}

func TestTimeReadsAsAtTheVenue(t *testing.T) {
	at := time.Date(2027, 3, 1, 0, 5, 0, 0, time.UTC)
	for _, c := range []struct{ language, zone, want string }{
		{"en", "Europe/Berlin", "Monday, March 1, 2027 at 1:05\u00a0AM (Europe/Berlin)"},
		{"de", "Europe/Berlin", "Montag, 1. März 2027 um 01:05 Uhr (Europe/Berlin)"},
		{"en", "America/New_York", "Sunday, February 28, 2027 at 7:05\u00a0PM (America/New York)"},
		{"de", "America/New_York", "Sonntag, 28. Februar 2027 um 19:05 Uhr (America/New York)"},
	} {
		if got, err := languages[c.language].dateTime(at, c.zone); err != nil || got != c.want {
			t.Errorf("%s in %s: %q %v, want %q", c.language, c.zone, got, err, c.want)
		}
	}
}
