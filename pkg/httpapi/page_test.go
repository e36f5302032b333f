package httpapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
)

type position struct {
	At time.Time
	ID uuid.UUID
}

func withQuery(t *testing.T, query string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+query, nil)
}

func TestCursorReturnsThePositionOfNextCursor(t *testing.T) {
	want := position{time.Date(2099, 3, 1, 19, 0, 0, 123_000, time.UTC), uuid.New()}
	text, err := httpapi.NextCursor(want)
	if err != nil {
		t.Fatal(err)
	}
	r := withQuery(t, "cursor="+text)
	if got, err := httpapi.Cursor(r, position{}); err != nil || got != want {
		t.Errorf("got %+v %v, want %+v", got, err, want)
	}
	if got, err := httpapi.Cursor[*position](r, nil); err != nil || got == nil || *got != want {
		t.Errorf("as a pointer: %+v %v, want %+v", got, err, want)
	}
	if _, err := httpapi.Cursor(withQuery(t, "cursor="+text[4:]), position{}); !errors.Is(err, httpapi.ErrCursor) {
		t.Errorf("cut off: %v", err)
	}
	if got, err := httpapi.Cursor(withQuery(t, ""), uuid.Max); err != nil || got != uuid.Max {
		t.Errorf("without a cursor: %v %v", got, err)
	}
}

func TestInventedCursorIsInvalid(t *testing.T) {
	for what, text := range map[string]string{
		"no base64": "!", "no JSON": "x", "null": "bnVsbA", "a number": "MQ", "padded": "e30=",
	} {
		if got, err := httpapi.Cursor(withQuery(t, "cursor="+text), position{}); !errors.Is(err, httpapi.ErrCursor) {
			t.Errorf("%s: %+v %v", what, got, err)
		}
		if got, err := httpapi.Cursor[*position](withQuery(t, "cursor="+text), nil); !errors.Is(err, httpapi.ErrCursor) {
			t.Errorf("%s as a pointer: %+v %v", what, got, err)
		}
	}
}

func TestPageLimitIsFrom1To100(t *testing.T) {
	for query, want := range map[string]int{
		"": 20, "limit=": 20, "limit=1": 1, "limit=100": 100, "limit=0": 0, "limit=101": 0, "limit=x": 0,
	} {
		got, err := httpapi.PageLimit(withQuery(t, query))
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d %v, want %d", query, got, err, want)
		}
	}
}
