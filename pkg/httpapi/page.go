package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// PageLimit returns the limit query parameter: 1 to 100, 20 when absent.
func PageLimit(r *http.Request) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return 20, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 100 {
		return 0, problem.Invalid(problem.Field{
			Field: "limit", Code: "out_of_range", Message: "must be a whole number from 1 to 100",
		})
	}
	return n, nil
}

// ErrCursor is the error for a cursor that no page returned: validation_failed
// (422).
var ErrCursor error = problem.Invalid(problem.Field{
	Field: "cursor", Code: "invalid", Message: "must be the next_cursor of the previous page",
})

// NextCursor encodes a position in a list as an opaque string.
func NextCursor(position any) (string, error) {
	raw, err := json.Marshal(position)
	if err != nil {
		return "", fmt.Errorf("encode cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Cursor returns the position in the cursor query parameter, or first when it is
// absent. Error: ErrCursor.
func Cursor[T any](r *http.Request, first T) (T, error) {
	text := r.URL.Query().Get("cursor")
	if text == "" {
		return first, nil
	}
	var position *T
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &position)
	}
	if err != nil || position == nil {
		return first, ErrCursor
	}
	return *position, nil
}
