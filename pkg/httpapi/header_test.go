package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
)

func TestETagsMatchWeakly(t *testing.T) {
	for header, want := range map[string]bool{
		`"3"`: true, `W/"3"`: true, `*`: true, ` * `: true, `"1", "3"`: true, `"1",W/"3"`: true, ` "3" `: true,
		``: false, `"33"`: false, `3`: false, `"1", W/"2"`: false,
	} {
		for _, etag := range []string{`"3"`, `W/"3"`} {
			if got := httpapi.ETagMatches(header, etag); got != want {
				t.Errorf("%q matches %s: %v, want %v", header, etag, got, want)
			}
		}
	}
	for _, header := range []string{``, `*`, `"3"`} {
		if httpapi.ETagMatches(header, "") {
			t.Errorf("%q matches a response without an ETag", header)
		}
	}
}

func TestIfMatchListsETags(t *testing.T) {
	for header, valid := range map[string]bool{
		`"3"`: true, `W/"3"`: true, `*`: true, `"1", W/"2"`: true, `"1","2-past"`: true,
		``: false, `{}`: false, `3`: false, `"3`: false, `"1",`: false, `*, "1"`: false, `w/"3"`: false,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/", nil)
		r.Header.Set("If-Match", header)
		if got, err := httpapi.IfMatch(r); (err == nil) != valid || valid && got != header {
			t.Errorf("%q: %q, %v", header, got, err)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/", nil)
	if got, err := httpapi.IfMatch(r); got != "" || err != nil {
		t.Errorf("without the header: %q, %v", got, err)
	}
}

func TestEncodingIsAcceptedUnlessItsWeightIsZero(t *testing.T) {
	for header, want := range map[string]bool{
		"gzip": true, "br, gzip": true, "gzip;q=0.5": true, "deflate, gzip; q=1.0": true, "gzip ; q=0.001": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.0": false, "xgzip": false, "identity": false,
	} {
		if got := httpapi.AcceptsEncoding(header, "gzip"); got != want {
			t.Errorf("%q accepts gzip: %v, want %v", header, got, want)
		}
	}
}
