package httpapi

import (
	"net"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/session"
)

// clientAddress is the address the gateway saw; it sets the header and lets
// none through from outside.
func clientAddress(r *http.Request) string {
	if a := r.Header.Get("X-Forwarded-For"); a != "" {
		return a
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

// cookie is the session's, Secure when the client came by https.
func cookie(r *http.Request, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: session.Cookie, Value: value, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true,
		Secure: r.Header.Get("X-Forwarded-Proto") == "https", SameSite: http.SameSiteLaxMode,
	}
}
