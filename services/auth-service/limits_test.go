package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// deviceCookie returns the device cookie that an answer sets, or nil.
func deviceCookie(a answer) *http.Cookie {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if strings.HasSuffix(c.Name, "frontrow_device") {
			return c
		}
	}
	return nil
}

func TestStrangerCannotLockOutAPersonWhoHasLoggedInBefore(t *testing.T) {
	s := start(t)
	_, email := s.register()
	body := func(secret string) string { return `{"email":"` + email + `","password":"` + secret + `"}` }
	network := []string{"X-Forwarded-For", testkit.Unique("network"), "X-Forwarded-Proto", "https"}
	device := deviceCookie(s.want(s.call(anonymous, "POST", "/login", body(password), network...), 200, ""))
	if device == nil || device.Name != "__Host-frontrow_device" || !device.HttpOnly || !device.Secure || device.MaxAge < 364*24*3600 {
		t.Fatalf("device cookie %v", device)
	}
	known := append([]string{"Cookie", device.Name + "=" + device.Value}, network...)
	for range 10 {
		s.want(s.call(anonymous, "POST", "/login", body("wrong-guess"), network...), 401, "invalid_credentials")
	}
	s.want(s.call(anonymous, "POST", "/login", body(password), network...), 429, "too_many_attempts")
	again := s.want(s.call(anonymous, "POST", "/login", body(password), known...), 200, "")
	if c := deviceCookie(again); c == nil || c.Value != device.Value {
		t.Errorf("the device is known as %v now", c)
	}
	for range 10 {
		s.want(s.call(anonymous, "POST", "/login", body("wrong-guess"), known...), 401, "invalid_credentials")
	}
	s.want(s.call(anonymous, "POST", "/login", body(password), known...), 429, "too_many_attempts")
	// An API client keeps no cookies.
	token := strings.Replace(body(password), "}", `,"session":"token"}`, 1)
	a := s.want(s.call(anonymous, "POST", "/login", token, "X-Forwarded-For", testkit.Unique("network")), 200, "")
	if c := deviceCookie(a); c != nil {
		t.Errorf("an API client got %v", c)
	}
}

func TestRegistrationsAndRequestedMailsAreLimited(t *testing.T) {
	s := start(t, func(c *config) { c.PerNetwork, c.Registrations = 2, 1000 })
	from := []string{"X-Forwarded-For", testkit.Unique("network")}
	register := func() answer {
		return s.call(anonymous, "POST", "/register",
			`{"email":"`+testkit.Unique("u")+`@example.com","password":"`+password+`","name":"U"}`, from...)
	}
	s.want(register(), 202, "")
	s.want(register(), 202, "")
	if a := s.want(register(), 429, "too_many_attempts"); a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range 2 { // the same for e-mails without an account
		s.want(s.call(anonymous, "POST", "/password-reset", `{"email":"`+testkit.Unique("u")+`@example.com"}`, from...), 202, "")
	}
	s.want(s.call(anonymous, "POST", "/password-reset", `{"email":"nobody@example.com"}`, from...), 429, "too_many_attempts")
}
