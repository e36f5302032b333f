package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

func TestTagsMatch(t *testing.T) {
	for header, want := range map[string]bool{
		`"3"`: true, `W/"3"`: true, `*`: true, `"1", "3"`: true, ` "3" `: true,
		``: false, `"33"`: false, `3`: false, `"1", W/"2"`: false,
	} {
		if got := matches(header, `"3"`); got != want {
			t.Errorf("%q matches: %v, want %v", header, got, want)
		}
	}
}

func TestGzipIsForThoseWhoTakeIt(t *testing.T) {
	for header, want := range map[string]bool{
		"gzip": true, "br, gzip": true, "gzip;q=0.5": true, "deflate, gzip; q=1.0": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.0": false, "xgzip": false, "identity": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q takes gzip: %v, want %v", header, got, want)
		}
	}
}

func TestCursorComesBackAsItWas(t *testing.T) {
	want := event.Position{StartsAt: time.Date(2099, 3, 1, 19, 0, 0, 123_000, time.UTC), ID: uuid.New()}
	got, err := decodeCursor(encodeCursor(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Error(diff)
	}
	for _, broken := range []string{"x", "!", "MQ", encodeCursor(want)[2:], encodeCursor(event.Position{StartsAt: time.Unix(-1, 0)})} {
		if p, err := decodeCursor(broken); err == nil {
			t.Errorf("%q is %+v", broken, p)
		}
	}
}
