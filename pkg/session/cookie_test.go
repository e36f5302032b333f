package session

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHTTPSTakesOnlyTheCookieOfThisHost(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", "frontrow_session=plain; __Host-frontrow_session=host")
	for https, want := range map[bool]string{true: "host", false: "plain"} {
		if got := FromRequest(r, https); got != want {
			t.Errorf("https %v: FromRequest = %q, want %q", https, got, want)
		}
	}
	r.Header.Set("Cookie", "frontrow_session=plain")
	if got := FromRequest(r, true); got != "" {
		t.Errorf("FromRequest took the cookie of a sibling domain: %q", got)
	}
	r.Header.Set("Authorization", "bearer  token ")
	if got := FromRequest(r, false); got != "token" {
		t.Errorf("FromRequest = %q, want the token of the Authorization header", got)
	}
	r.Header.Set("Authorization", "Basic eDp5")
	if got := FromRequest(r, false); got != "" {
		t.Errorf("FromRequest = %q beside another Authorization scheme", got)
	}
}
