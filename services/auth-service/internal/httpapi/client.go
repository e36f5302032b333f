package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/audit"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// caller returns who sends the request.
func caller(r *http.Request) auth.Caller {
	id := identity.FromContext(r.Context())
	return auth.Caller{UserID: id.UserID, Email: id.Email, Session: session.FromRequest(r, https(r)), Client: client(r)}
}

// maxUserAgent is the length in bytes to which a User-Agent is cut.
const maxUserAgent = 200

// client returns the sender of a request as seen by the gateway.
func client(r *http.Request) auth.Client {
	c := auth.Client{Address: audit.ClientAddress(r), UserAgent: r.UserAgent()}
	if device, err := r.Cookie(deviceCookieName(r)); err == nil {
		c.Device = device.Value
	}
	if len(c.UserAgent) > maxUserAgent {
		c.UserAgent = c.UserAgent[:maxUserAgent]
	}
	c.UserAgent = strings.ToValidUTF8(c.UserAgent, "")
	return c
}

// https reports whether the client used HTTPS.
func https(r *http.Request) bool { return r.Header.Get("X-Forwarded-Proto") == "https" }

// cookie returns the session cookie.
func cookie(r *http.Request, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: session.Cookie(https(r)), Value: value, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true,
		Secure: https(r), SameSite: http.SameSiteLaxMode,
	}
}

// deviceAge is how long a device stays known after a log-in.
const deviceAge = 365 * 24 * time.Hour

func deviceCookieName(r *http.Request) string { return session.CookieName("frontrow_device", https(r)) }

// deviceCookie returns the cookie by which the limits on log-ins know a device.
func deviceCookie(r *http.Request, value string) *http.Cookie {
	return &http.Cookie{
		Name: deviceCookieName(r), Value: value, Path: "/", MaxAge: int(deviceAge.Seconds()), HttpOnly: true,
		Secure: https(r), SameSite: http.SameSiteStrictMode,
	}
}
