package mail

import (
	"strings"
	"testing"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/google/go-cmp/cmp"
)

func TestCalendarHasOneEntryForTheBooking(t *testing.T) {
	want := strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Frontrow//Tickets//EN", "METHOD:PUBLISH", "BEGIN:VEVENT",
		"UID:0193b3a0-5555-7abc-8def-000000000001@frontrow", "DTSTAMP:20261204T183000Z", "SEQUENCE:3",
		"DTSTART:20261204T183000Z", "DTEND:20261204T210000Z", "SUMMARY:Łukasz & Őri <live>",
		`LOCATION:Große Halle\, Berlin`, `DESCRIPTION:Frontrow K7QM-29XD\nStalls · C · 12\nArena · 7`,
		"URL:https://tickets.example/bookings/0193b3a0-5555-7abc-8def-000000000001", "STATUS:CONFIRMED",
		"END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n")
	if diff := cmp.Diff(want, string(Calendar(booking(), publicURL+"/"))); diff != "" {
		t.Error(diff)
	}
}

func TestCalendarKeepsAnyText(t *testing.T) {
	b := booking()
	b.EventName = strings.Repeat("Ő;ü,\\n€😀 ", 20) + "end"
	b.VenueName = "a\r\nATTENDEE:mailto:b@example.org"
	file := Calendar(b, publicURL)
	for l := range strings.SplitSeq(string(file), "\r\n") {
		if len(l) > 75 || !utf8.ValidString(l) || strings.ContainsAny(l, "\r\n") {
			t.Errorf("line of %d bytes: %q", len(l), l)
		}
	}
	read, err := ics.ParseCalendar(strings.NewReader(string(file)))
	if err != nil {
		t.Fatal(err)
	}
	event := read.Events()[0]
	for property, want := range map[ics.ComponentProperty]string{
		ics.ComponentPropertySummary: b.EventName, ics.ComponentPropertyLocation: "a ATTENDEE:mailto:b@example.org",
	} {
		if got := event.GetProperty(property).Value; got != want {
			t.Errorf("%s: %q, want %q", property, got, want)
		}
	}
}
