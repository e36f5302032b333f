package httpapi

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// maxQuery is the maximum length of a search text, in characters.
const maxQuery = 200

// users lists accounts. A cursor is the last e-mail of the previous page.
func (h *handlers) users(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem.Field
	limit, err := httpapi.PageLimit(r)
	if err != nil {
		wrong = append(wrong, problem.From(err).Fields...)
	}
	part := strings.TrimSpace(r.URL.Query().Get("q"))
	switch {
	case utf8.RuneCountInString(part) > maxQuery:
		wrong = append(wrong, problem.Field{Field: "q", Code: "too_long", Message: "must have at most 200 characters"})
	case !storable(part):
		wrong = append(wrong, problem.Field{Field: "q", Code: "invalid_characters", Message: "must be valid text"})
	}
	after, err := httpapi.Cursor(r, "")
	if err != nil || !storable(after) {
		wrong = append(wrong, problem.From(httpapi.ErrCursor).Fields...)
	}
	if len(wrong) > 0 {
		return problem.Invalid(wrong...)
	}
	found, err := h.svc.Accounts.Search(r.Context(), part, after, limit+1) // one more shows whether there is a next page
	if err != nil {
		return answer(err)
	}
	page := rest.UserPage{Items: []rest.User{}}
	if len(found) > limit {
		found = found[:limit]
		if page.NextCursor, err = httpapi.NextCursor(found[limit-1].Email); err != nil {
			return err
		}
	}
	for _, a := range found {
		page.Items = append(page.Items, h.view(a))
	}
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

// storable reports whether Postgres can store a text.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }
