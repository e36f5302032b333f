package httpapi_test

import (
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
