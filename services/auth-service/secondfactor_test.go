package main

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// enrol begins and confirms a second factor in a session. It returns the secret
// and the recovery codes.
func (s *program) enrol(user identity.Identity, sessionID string) (secret string, codes []any) {
	s.t.Helper()
	a := s.want(s.call(recent(user), "POST", "/me/second-factor", ""), 200, "")
	secret = a.body["secret"].(string)
	a = s.want(s.call(user, "POST", "/me/second-factor/confirm", `{"code":"`+s.code(secret, 0)+`"}`, "Authorization", "Bearer "+sessionID), 200, "")
	return secret, a.body["codes"].([]any)
}

// code returns the code of the time step that is steps away from now.
func (s *program) code(secret string, steps int) string {
	s.t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

// wrongCode is a code that no time step near now has.
func (s *program) wrongCode(secret string) string {
	s.t.Helper()
	for _, code := range []string{"000000", "111111", "222222", "333333", "444444", "555555", "666666"} {
		near := false
		for step := -3; step <= 3; step++ {
			near = near || s.code(secret, step) == code
		}
		if !near {
			return code
		}
	}
	panic("seven codes are near")
}

func (s *program) loginWith(email, code string) answer {
	s.t.Helper()
	return s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+password+`","code":"`+code+`","session":"token"}`)
}

func TestSecondFactorIsNeededFromItsConfirmationOn(t *testing.T) {
	s := start(t)
	user, email := s.register()
	current, other := s.login(email), s.login(email)
	s.want(s.call(user, "POST", "/me/second-factor", ""), 403, "reauthentication_required")
	s.want(s.call(user, "POST", "/me/second-factor/confirm", `{"code":"123456"}`), 409, "second_factor_missing")
	s.want(s.call(recent(user), "POST", "/me/recovery-codes", ""), 409, "second_factor_missing")

	a := s.want(s.call(recent(user), "POST", "/me/second-factor", ""), 200, "")
	secret := a.body["secret"].(string)
	if uri, _ := a.body["uri"].(string); !strings.HasPrefix(uri, "otpauth://totp/Frontrow:") || !strings.Contains(uri, secret) {
		t.Errorf("URI %q", uri)
	}
	picture, err := base64.StdEncoding.DecodeString(a.body["qr_png"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
		t.Errorf("QR code: %v", err)
	}
	var stored []byte
	s.query(`SELECT totp_secret FROM accounts WHERE id = $1`, user.UserID).scan(&stored)
	if len(stored) == 0 || bytes.Contains(stored, []byte(secret)) {
		t.Error("the secret is not stored, or not encrypted")
	}
	s.login(email) // it is not on yet

	confirm := func(code string) answer {
		return s.call(user, "POST", "/me/second-factor/confirm", `{"code":"`+code+`"}`, "Authorization", "Bearer "+current)
	}
	s.want(confirm("12345"), 422, "validation_failed")
	s.want(confirm(s.wrongCode(secret)), 409, "wrong_code")
	code := s.code(secret, 0)
	a = s.want(confirm(code), 200, "")
	if codes := a.body["codes"].([]any); len(codes) != 10 || codes[0] == codes[1] {
		t.Errorf("recovery codes %v", codes)
	}
	if s.role(other) != "" || s.role(current) == "" {
		t.Error("the confirmation must end the other sessions and keep this one")
	}
	s.mail(user.UserID, events.MailSecondFactorChanged)
	s.want(confirm(s.code(secret, 1)), 409, "second_factor_exists")
	s.want(s.call(recent(user), "POST", "/me/second-factor", ""), 409, "second_factor_exists")
	if me := s.call(user, "GET", "/me", ""); me.body["second_factor"] != true || me.body["second_factor_required"] != nil {
		t.Errorf("me = %v", me.body)
	}

	s.want(s.loginWith(email, ""), 401, "second_factor_required")
	s.want(s.loginWith(email, code), 401, "invalid_credentials") // used
	s.want(s.loginWith(email, s.code(secret, 5)), 401, "invalid_credentials")
	next := s.code(secret, 1)
	session := s.want(s.loginWith(email, next), 200, "")
	s.want(s.loginWith(email, next), 401, "invalid_credentials")
	wrong := `{"email":"` + email + `","password":"wrong horse"}`
	s.want(s.call(anonymous, "POST", "/login", wrong), 401, "invalid_credentials") // says nothing of a second factor

	s.want(s.call(user, "DELETE", "/me/second-factor", ""), 403, "reauthentication_required")
	other = session.body["session_id"].(string)
	for range 2 {
		s.want(s.call(recent(user), "DELETE", "/me/second-factor", "", "Authorization", "Bearer "+current), 204, "")
	}
	if s.role(other) != "" || s.role(current) == "" {
		t.Error("the removal must end the other sessions and keep this one")
	}
	s.login(email)
	s.wantAudited(user.UserID, "registered login login login login_failed second_factor_added login second_factor_removed login")
}

func TestWrongCodesAreLimitedLikeWrongPasswords(t *testing.T) {
	s := start(t)
	user, email := s.register()
	secret, _ := s.enrol(user, s.login(email))
	for range 10 {
		s.want(s.loginWith(email, s.wrongCode(secret)), 401, "invalid_credentials")
	}
	s.want(s.loginWith(email, s.code(secret, 1)), 429, "too_many_attempts")
}

func TestConcurrentCodesOfASetupAreLimited(t *testing.T) {
	s := start(t)
	user, email := s.register()
	id := s.login(email)
	secret := s.want(s.call(recent(user), "POST", "/me/second-factor", ""), 200, "").body["secret"].(string)
	answers := make(chan int, 30)
	for range cap(answers) {
		go func() {
			answers <- s.call(user, "POST", "/me/second-factor/confirm", `{"code":"`+s.wrongCode(secret)+`"}`, "Authorization", "Bearer "+id).status
		}()
	}
	tried := 0
	for range cap(answers) {
		if <-answers == 409 {
			tried++
		}
	}
	if tried != 10 {
		t.Errorf("%d codes were tried, want 10", tried)
	}
}

func TestRecoveryCodeWorksOnceInPlaceOfACode(t *testing.T) {
	s := start(t)
	user, email := s.register()
	secret, codes := s.enrol(user, s.login(email))
	first, second := codes[0].(string), codes[1].(string)
	s.want(s.loginWith(email, strings.ToUpper(first)), 200, "")
	s.want(s.loginWith(email, first), 401, "invalid_credentials")
	s.want(s.loginWith(email, strings.ReplaceAll(second, "-", " ")), 200, "")

	a := s.want(s.call(recent(user), "POST", "/me/recovery-codes", ""), 200, "")
	s.want(s.loginWith(email, codes[2].(string)), 401, "invalid_credentials")
	s.want(s.loginWith(email, a.body["codes"].([]any)[9].(string)), 200, "")
	s.want(s.loginWith(email, s.code(secret, 1)), 200, "")
}

func TestPasswordResetKeepsTheSecondFactorOfAVerifiedEmailOnly(t *testing.T) {
	s := start(t)
	reset := func(user identity.Identity, email string) {
		t.Helper()
		s.want(s.call(anonymous, "POST", "/password-reset", `{"email":"`+email+`"}`), 202, "")
		secret := s.mail(user.UserID, events.MailResetPassword).Token
		s.want(s.call(anonymous, "POST", "/password-reset/confirm", `{"token":"`+secret+`","password":"`+password+`"}`), 204, "")
	}
	owner, email := s.register()
	s.want(s.call(anonymous, "POST", "/verification/confirm", token(s.mail(owner.UserID, events.MailVerifyEmail).Token)), 204, "")
	s.enrol(owner, s.login(email))
	reset(owner, email)
	s.want(s.loginWith(email, ""), 401, "second_factor_required")

	// Somebody registers the e-mail of another person, who then wants to use it.
	somebody, email := s.register()
	s.enrol(somebody, s.login(email))
	reset(somebody, email)
	s.want(s.loginWith(email, ""), 200, "")
}

func TestReauthenticationStampsTheSession(t *testing.T) {
	s := start(t)
	user, email := s.register()
	id := s.login(email)
	secret, codes := s.enrol(user, id)
	again := func(body string) answer {
		return s.call(user, "POST", "/reauthenticate", body, "Authorization", "Bearer "+id)
	}
	for _, body := range []string{`{"password":"` + password + `"}`, `{"code":"` + s.code(secret, 1) + `"}`, `{"code":"` + codes[0].(string) + `"}`} {
		before := s.session(id).AuthenticatedAt
		s.want(again(body), 204, "")
		if !s.session(id).AuthenticatedAt.After(before) {
			t.Errorf("%s did not stamp the session", body)
		}
	}
	before := s.session(id).AuthenticatedAt
	s.want(again(`{"password":"wrong horse"}`), 409, "wrong_password")
	s.want(again(`{"code":"`+codes[0].(string)+`"}`), 409, "wrong_password")
	s.want(again(`{}`), 422, "validation_failed")
	s.want(again(`{"password":"x","code":"y"}`), 422, "validation_failed")
	for range 8 {
		s.want(again(`{"code":"`+s.wrongCode(secret)+`"}`), 409, "wrong_password")
	}
	s.want(again(`{"password":"`+password+`"}`), 429, "too_many_attempts")
	if !s.session(id).AuthenticatedAt.Equal(before) {
		t.Error("a wrong password stamped the session")
	}
	other, _ := s.register()
	s.want(s.call(other, "POST", "/reauthenticate", `{"code":"123456"}`), 409, "wrong_password")
}

func TestAdminWithoutTheRequiredSecondFactorIsACustomer(t *testing.T) {
	s := start(t, func(c *config) { c.AdminSecondFactor = required })
	var email string
	s.query(`SELECT email FROM accounts WHERE role = 'admin'`).scan(&email)
	admin := identity.Identity{UserID: s.adminID(), Role: identity.Customer, Email: email}
	login := func(code string) (answer, string) {
		t.Helper()
		a := s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+adminPassword+`","code":"`+code+`","session":"token"}`), 200, "")
		return a, a.body["session_id"].(string)
	}
	a, id := login("")
	if user := a.body["user"].(map[string]any); user["second_factor_required"] != true || s.role(id) != "customer" {
		t.Errorf("user %v, session's role %q", user, s.role(id))
	}
	secret, _ := s.enrol(admin, id)
	a, id = login(s.code(secret, 1))
	if user := a.body["user"].(map[string]any); user["second_factor_required"] != nil || s.role(id) != "admin" {
		t.Errorf("user %v, session's role %q", user, s.role(id))
	}
}
