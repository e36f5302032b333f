package e2e

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// newEventID is an id that does not exist.
func newEventID() string { return uuid.Must(uuid.NewV7()).String() }

func TestRoleChangeIsEffectiveAtOnceInOpenSessions(t *testing.T) {
	a := newBuyer(t)
	_, err := a.CreateVenue(t.Context(), plan(1, 1))
	wantCode(t, err, 403, "forbidden")
	must(admin.SetRole(t.Context(), a.user.ID, "organizer"))(t)
	must(a.CreateVenue(t.Context(), plan(1, 1)))(t)
	must(admin.SetRole(t.Context(), a.user.ID, "customer"))(t)
	_, err = a.CreateVenue(t.Context(), plan(1, 1))
	wantCode(t, err, 403, "forbidden")
}

func TestLogoutEndsOneSessionAndLogoutEverywhereAll(t *testing.T) {
	first := newBuyer(t)
	login := func() *client.Client {
		return visitor().WithSession(must(visitor().Login(t.Context(), first.user.Email, password))(t).SessionID)
	}
	second, third := login(), login()
	if err := second.Logout(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	_, err := second.Me(t.Context())
	wantCode(t, err, 401, "session_invalid")
	must(third.Me(t.Context()))(t)
	if err := first.Logout(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client.Client{first.Client, third} {
		_, err := c.Me(t.Context())
		wantCode(t, err, 401, "session_invalid")
	}
	must(login().Me(t.Context()))(t)
}

func TestCookieIsASessionToo(t *testing.T) {
	a := newBuyer(t)
	body := map[string]string{"email": a.user.Email, "password": password}
	resp := must(visitor().Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/auth/login", Body: body}))(t)
	cookies := (&http.Response{Header: resp.Header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != "frontrow_session" || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Fatalf("cookies: %v", cookies)
	}
	me := must(visitor().Do(t.Context(), client.Request{
		Method: http.MethodGet, Path: "/auth/me", Header: http.Header{"Cookie": {"frontrow_session=" + cookies[0].Value}},
	}))(t)
	if me.Status != http.StatusOK {
		t.Errorf("with the cookie: %d %s", me.Status, me.Body)
	}
}

func TestWrongPasswordAndUnknownEmailGetTheSameAnswer(t *testing.T) {
	a := newBuyer(t)
	_, wrong := visitor().Login(t.Context(), a.user.Email, "not the password")
	_, unknown := visitor().Login(t.Context(), newEmail(), "not the password")
	p, q := problemWith(t, wrong, 401, "invalid_credentials"), problemWith(t, unknown, 401, "invalid_credentials")
	if p.Detail != q.Detail {
		t.Errorf("details differ: %q, %q", p.Detail, q.Detail)
	}
}

func TestGuessingAPasswordIsStopped(t *testing.T) {
	a := newBuyer(t)
	for range 10 {
		_, err := visitor().Login(t.Context(), a.user.Email, "not the password")
		wantCode(t, err, 401, "invalid_credentials")
	}
	// The right password is refused too: a guesser must not learn that it is
	// right.
	_, err := visitor().Login(t.Context(), a.user.Email, password)
	if p := problemWith(t, err, 429, "too_many_attempts"); p.RetryAfter <= 0 {
		t.Error("there is no Retry-After")
	}
	must(a.Me(t.Context()))(t)
}

func TestEmailBelongsToOneAccount(t *testing.T) {
	a := newBuyer(t)
	_, err := visitor().Register(t.Context(), a.user.Email, password, "Another")
	wantCode(t, err, 409, "email_taken")
}
