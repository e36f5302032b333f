package session

import (
	"net/http"
	"strings"
)

// Cookie names the cookie that carries a session id.
const Cookie = "frontrow_session"

// FromRequest returns the session id of a request: that of the Authorization
// header if there is one, else that of the cookie; empty without either.
func FromRequest(r *http.Request) string {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, id, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(id)
		}
		return ""
	}
	if c, err := r.Cookie(Cookie); err == nil {
		return c.Value
	}
	return ""
}

// ByCookie tells whether the session id of a request came by the cookie, which
// browsers also send on behalf of other sites.
func ByCookie(r *http.Request) bool { return r.Header.Get("Authorization") == "" }
