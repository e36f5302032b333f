package event

import (
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

// Filter selects the events of a page.
type Filter struct {
	// Words must each be the prefix of a word of the event or its venue, in the
	// form returned by Words; nil matches every event.
	Words []string
	// From (inclusive) and To (exclusive) limit the start time. A zero time is
	// unlimited.
	From, To time.Time
	// NotEndedAt excludes events that ended before it, unless it is zero.
	NotEndedAt time.Time
	// CancelledSince excludes events cancelled before it, unless it is zero.
	CancelledSince time.Time
	// Organizer selects one organiser's events, including drafts. uuid.Nil
	// selects everybody's, without drafts.
	Organizer uuid.UUID
	// After is the position of the last event of the previous page.
	After *Position
	// Limit is the maximum number of events.
	Limit int
}

// Position is an event's position in lists, which are ordered by start, then
// id, with cancelled events last.
type Position struct {
	Cancelled bool
	StartsAt  time.Time
	ID        uuid.UUID
}

// Position returns the event's position in lists.
func (e *Event) Position() Position {
	return Position{Cancelled: e.Status == Cancelled, StartsAt: e.StartsAt, ID: e.ID}
}

// Words returns the words of a text for searching: letters and digits only, in
// lower case, without accents.
func Words(text string) []string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
	return strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
