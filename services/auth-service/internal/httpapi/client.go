package httpapi

import (
	"net"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/session"
)

// clientAddress returns the address seen by the gateway, which sets the header
// and strips it from incoming requests.
func clientAddress(r *http.Request) string {
	if a := r.Header.Get("X-Forwarded-For"); a != "" {
		return a
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

// cookie returns the session cookie, Secure if the client used https.
func cookie(r *http.Request, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: session.Cookie, Value: value, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true,
		Secure: r.Header.Get("X-Forwarded-Proto") == "https", SameSite: http.SameSiteLaxMode,
	}
}
