package event

import (
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

// Filter says which events a page lists.
type Filter struct {
	// Words that must all begin a word of the event or its venue, as Words
	// returns them; nil matches every event.
	Words []string
	// From and To bound the start: from, inclusive, to, exclusive; zero is open.
	From, To time.Time
	// NotEndedAt leaves out the events that ended before it, unless it is zero.
	NotEndedAt time.Time
	// Organizer lists one organiser's events, drafts too; uuid.Nil lists
	// everybody's but no drafts.
	Organizer uuid.UUID
	// After is the last event of the page before.
	After *Position
	// Limit is how many at most.
	Limit int
}

// Position is an event's place in the order of lists: by start, then id.
type Position struct {
	StartsAt time.Time
	ID       uuid.UUID
}

// Words returns the words of a text for searching: letters and digits only,
// small, without accents.
func Words(text string) []string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
	return strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
