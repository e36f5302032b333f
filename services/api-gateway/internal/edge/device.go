package edge

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/session"
)

const (
	// deviceHeader carries the browser's device id to a service.
	deviceHeader = "X-Frontrow-Device"
	deviceCookie = "frontrow_queue"
	// deviceLifetime is how long a browser keeps its device id.
	deviceLifetime = 365 * 24 * time.Hour
	// deviceSize is the size of a device id, in bytes.
	deviceSize = 16
)

// deviceOf returns the browser's device id, a random one in its cookie, and sets the cookie if there is none. API
// clients, which send their session in the Authorization header, have no device.
func deviceOf(c *call) string {
	if c.r.Header.Get("Authorization") != "" {
		return ""
	}
	name := session.CookieName(deviceCookie, c.client.https)
	if got, err := c.r.Cookie(name); err == nil {
		if id, err := base64.RawURLEncoding.DecodeString(got.Value); err == nil && len(id) == deviceSize {
			return got.Value
		}
	}
	id := make([]byte, deviceSize)
	_, _ = rand.Read(id) // never fails
	device := base64.RawURLEncoding.EncodeToString(id)
	http.SetCookie(c.w, &http.Cookie{
		Name: name, Value: device, Path: "/", MaxAge: int(deviceLifetime.Seconds()), Secure: c.client.https,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	return device
}
