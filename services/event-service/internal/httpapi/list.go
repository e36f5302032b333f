package httpapi

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

// cancelledFor is how long the public list shows a cancelled event.
const cancelledFor = 24 * time.Hour

// events lists events by start. Without "from" it omits events that have ended:
// nobody who looks for an event wants to page through last year.
func (a *API) events(w http.ResponseWriter, r *http.Request) error {
	filter, err := a.filter(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	if filter.Organizer != uuid.Nil {
		w.Header().Set("Cache-Control", "private, no-store")
	}
	page := rest.EventPage{Items: []rest.Event{}}
	if filter.Words != nil && len(filter.Words) == 0 {
		return httpapi.WriteJSON(w, http.StatusOK, page) // the query has no words, such as "?!"
	}
	limit := filter.Limit
	filter.Limit++ // one more shows whether there is a next page
	list, err := a.store.Events(r.Context(), filter)
	if err != nil {
		return err
	}
	if len(list) > limit {
		list = list[:limit]
		if page.NextCursor, err = httpapi.NextCursor(list[limit-1].Position()); err != nil {
			return err
		}
	}
	now := a.clock.Now()
	for _, e := range list {
		page.Items = append(page.Items, view(e, now))
	}
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

func (a *API) filter(r *http.Request) (event.Filter, error) {
	query := r.URL.Query()
	var f event.Filter
	var wrong []problem.Field
	var err error
	if f.Limit, err = httpapi.PageLimit(r); err != nil {
		wrong = append(wrong, problem.From(err).Fields...)
	}
	if q := strings.TrimSpace(query.Get("q")); utf8.RuneCountInString(q) > 200 {
		wrong = append(wrong, problem.Field{Field: "q", Code: "too_long", Message: "must have at most 200 characters"})
	} else if q != "" {
		f.Words = append([]string{}, event.Words(q)...)
	}
	for _, bound := range []struct {
		name string
		to   *time.Time
	}{{"from", &f.From}, {"to", &f.To}} {
		if query.Has(bound.name) {
			if *bound.to, err = time.Parse(time.RFC3339, query.Get(bound.name)); err != nil {
				wrong = append(wrong, problem.Field{Field: bound.name, Code: "invalid", Message: "must be an RFC 3339 time, such as 2027-05-01T00:00:00Z"})
			}
		}
	}
	if f.After, err = httpapi.Cursor[*event.Position](r, nil); err != nil {
		wrong = append(wrong, problem.From(err).Fields...)
	}
	mine := false
	if query.Has("mine") {
		if s := query.Get("mine"); s == "true" || s == "false" {
			mine = s == "true"
		} else {
			wrong = append(wrong, problem.Field{Field: "mine", Code: "invalid", Message: "must be true or false"})
		}
	}
	if len(wrong) > 0 {
		return f, problem.Invalid(wrong...)
	}
	if mine {
		caller := identity.FromContext(r.Context())
		if caller.IsAnonymous() {
			return f, problem.New(http.StatusUnauthorized, problem.CodeSessionRequired, "Log in first.")
		}
		f.Organizer = caller.UserID
		return f, nil
	}
	now := a.clock.Now()
	f.CancelledSince = now.Add(-cancelledFor)
	if f.From.IsZero() {
		f.NotEndedAt = now
	}
	return f, nil
}
