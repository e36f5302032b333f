package session

import (
	"net/http"
	"strings"
)

const (
	cookie = "frontrow_session"
	// hostPrefix makes browsers refuse the cookie unless this host set it over
	// HTTPS: a page of a sibling domain can't plant a session.
	hostPrefix = "__Host-"
)

// Cookie returns the name of the cookie that carries a session id.
func Cookie(https bool) string { return CookieName(cookie, https) }

// CookieName returns name with the prefix __Host- over HTTPS. Over plain HTTP,
// browsers refuse that prefix.
func CookieName(name string, https bool) string {
	if https {
		return hostPrefix + name
	}
	return name
}

// FromRequest returns the session id of a request: from the Authorization
// header if present, otherwise from the cookie. It returns "" without either.
func FromRequest(r *http.Request, https bool) string {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, id, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(id)
		}
		return ""
	}
	return FromCookie(r, https)
}

// FromCookie returns the session id in the cookie of a request, or "".
func FromCookie(r *http.Request, https bool) string {
	if c, err := r.Cookie(Cookie(https)); err == nil {
		return c.Value
	}
	return ""
}
