package httpapi

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

var etagList = regexp.MustCompile(`^(\*|(W/)?"[^"]*"(\s*,\s*(W/)?"[^"]*")*)$`)

// IfMatch returns the request's If-Match header, or "" if there is none. Error:
// invalid_if_match (400) if it is neither "*" nor a list of ETags.
func IfMatch(r *http.Request) (string, error) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return "", nil
	}
	header := strings.Join(values, ", ")
	if !etagList.MatchString(header) {
		return "", problem.New(http.StatusBadRequest, problem.CodeInvalidIfMatch, `Send If-Match as "*" or as ETags in double quotes.`)
	}
	return header, nil
}

// ETagMatches reports whether an If-Match or If-None-Match header lists etag or
// is "*". It compares weakly (RFC 9110, 8.8.3.2): W/"1" matches "1". Nothing
// matches an empty etag.
func ETagMatches(header, etag string) bool {
	if etag == "" {
		return false
	}
	etag = strings.TrimPrefix(etag, "W/")
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == "*" || candidate == etag {
			return true
		}
	}
	return false
}

// AcceptsEncoding reports whether an Accept-Encoding header names coding with a
// weight other than zero.
func AcceptsEncoding(header, coding string) bool {
	for part := range strings.SplitSeq(strings.ReplaceAll(header, " ", ""), ",") {
		name, weight, weighted := strings.Cut(part, ";q=")
		if name == coding {
			return !weighted || strings.Trim(weight, "0.") != ""
		}
	}
	return false
}
