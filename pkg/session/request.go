package session

import (
	"net/http"
	"strings"
)

// Cookie names the cookie that carries a session id.
const Cookie = "frontrow_session"

// FromRequest returns the session id of a request: from the Authorization
// header if present, otherwise from the cookie. It returns "" without either.
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

// ByCookie reports whether the session id of a request came from the cookie,
// which browsers also send on behalf of other sites.
func ByCookie(r *http.Request) bool { return r.Header.Get("Authorization") == "" }
