package mail

import (
	"strings"

	ics "github.com/arran4/golang-ical"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Calendar returns an iCalendar file (RFC 5545) with one entry for the booking.
// A file with a greater EventVersion replaces the entry of an older one.
func Calendar(b events.BookingRecord, publicURL string) []byte {
	details := []string{"Frontrow " + b.OrderNumber}
	for _, t := range b.Tickets {
		var place []string
		for _, part := range []string{t.Section, t.Row, t.Number} {
			if part = line(part); part != "" {
				place = append(place, part)
			}
		}
		details = append(details, strings.Join(place, " · "))
	}
	calendar := ics.NewCalendar()
	calendar.SetProductId("-//Frontrow//Tickets//EN")
	calendar.SetMethod(ics.MethodPublish)
	e := calendar.AddEvent(b.BookingID.String() + "@frontrow")
	// The stamp orders files of one version only; a clock would make every
	// download differ.
	e.SetDtStampTime(b.StartsAt)
	e.SetSequence(int(b.EventVersion))
	e.SetStartAt(b.StartsAt)
	e.SetEndAt(b.EndsAt)
	e.SetSummary(line(b.EventName))
	e.SetLocation(line(b.VenueName))
	e.SetDescription(strings.Join(details, "\n"))
	e.SetURL(strings.TrimRight(publicURL, "/") + "/bookings/" + b.BookingID.String())
	e.SetStatus(ics.ObjectStatusConfirmed)
	return []byte(calendar.Serialize(ics.WithNewLineWindows))
}
