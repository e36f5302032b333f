package main

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/session"
)

const placePath = "/api/v1/events/" + queuedEvent + "/queue/place"

// cookies returns the cookies that a response sets.
func (a response) cookies() []*http.Cookie { return (&http.Response{Header: a.header}).Cookies() }

func TestBrowserGetsOneDeviceForItsPlace(t *testing.T) {
	for name, https := range map[string]bool{"frontrow_queue": false, "__Host-frontrow_queue": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.replica("booking-service", 0, nil)
			w.configure = func(c *config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
			w.start()
			id, _ := w.login(identity.Customer)
			put := func(cookies, forged string) response {
				headers := []string{"Cookie", session.Cookie(https) + "=" + id + cookies, "X-Frontrow-Device", forged}
				if https {
					headers = append(headers, "X-Forwarded-Proto", "https")
				}
				return w.want(w.send("PUT", placePath, "{}", headers...), http.StatusOK, "")
			}
			device := func() string {
				all := r.requests()
				return all[len(all)-1].header.Get("X-Frontrow-Device")
			}

			set := put("", "forged").cookies()
			if len(set) != 1 || set[0].Name != name || !set[0].HttpOnly || set[0].Secure != https ||
				set[0].SameSite != http.SameSiteStrictMode || set[0].Path != "/" || set[0].MaxAge < 360*24*3600 {
				t.Fatalf("cookies %v", set)
			}
			if got := device(); got != set[0].Value || got == "" {
				t.Errorf("the device is %q, the cookie %q", got, set[0].Value)
			}
			if again := put("; "+name+"="+set[0].Value, "forged"); len(again.cookies()) > 0 || device() != set[0].Value {
				t.Errorf("the second time, cookies %v, device %q", again.cookies(), device())
			}
			if other := put("; "+name+"=chosen", "").cookies(); len(other) != 1 || device() != other[0].Value ||
				other[0].Value == set[0].Value {
				t.Errorf("for a malformed cookie, cookies %v, device %q", other, device())
			}
		})
	}
}

func TestAPIClientsAndOtherRequestsHaveNoDevice(t *testing.T) {
	w := newWorld(t)
	r := w.replica("booking-service", 0, nil)
	w.start()
	id, _ := w.login(identity.Customer)
	cookie := []string{"Cookie", session.Cookie(false) + "=" + id}
	for _, a := range []response{
		w.send("PUT", placePath, "{}", append(bearer(id), "X-Frontrow-Device", "forged")...),
		w.send("GET", placePath, "", cookie...),
		w.send("DELETE", placePath, "", cookie...),
	} {
		if a.status != http.StatusOK || len(a.cookies()) > 0 {
			t.Errorf("%d, cookies %v", a.status, a.cookies())
		}
	}
	for _, got := range r.requests() {
		if device := got.header.Get("X-Frontrow-Device"); device != "" {
			t.Errorf("%s has the device %q", got.method, device)
		}
	}
}
