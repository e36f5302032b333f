package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// newEventID is an id that does not exist.
func newEventID() string { return uuid.Must(uuid.NewV7()).String() }

func TestRoleChangeEndsOpenSessionsAndAppliesToNewOnes(t *testing.T) {
	a := newBuyer(t)
	_, err := a.CreateVenue(t.Context(), plan(1, 1))
	wantCode(t, err, 403, "forbidden")
	setRole(t, a, "organizer")
	_, err = a.Me(t.Context())
	wantCode(t, err, 401, "session_invalid")
	organizer := must(login(t, a.user.Email))(t)
	must(organizer.CreateVenue(t.Context(), plan(1, 1)))(t)
	setRole(t, a, "customer")
	_, err = organizer.CreateVenue(t.Context(), plan(1, 1))
	wantCode(t, err, 401, "session_invalid")
	_, err = must(login(t, a.user.Email))(t).CreateVenue(t.Context(), plan(1, 1))
	wantCode(t, err, 403, "forbidden")
}

func TestLogoutEndsOneSessionAndLogoutEverywhereAll(t *testing.T) {
	first := newBuyer(t)
	second, third := must(login(t, first.user.Email))(t), must(login(t, first.user.Email))(t)
	if err := second.Logout(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	_, err := second.Me(t.Context())
	wantCode(t, err, 401, "session_invalid")
	must(third.Me(t.Context()))(t)
	if err := first.Logout(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for _, c := range []account{first, third} {
		_, err := c.Me(t.Context())
		wantCode(t, err, 401, "session_invalid")
	}
	must(must(login(t, first.user.Email))(t).Me(t.Context()))(t)
}

func TestCookieIsASessionToo(t *testing.T) {
	a := newBuyer(t)
	body := map[string]string{"email": a.user.Email, "password": password}
	resp := must(visitor().Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/auth/login", Body: body}))(t)
	cookies := map[string]*http.Cookie{}
	for _, c := range (&http.Response{Header: resp.Header}).Cookies() {
		cookies[c.Name] = c
	}
	c := cookies["frontrow_session"]
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || strings.Contains(string(resp.Body), c.Value) {
		t.Fatalf("cookies %v, response %s", cookies, resp.Body)
	}
	me := must(visitor().Do(t.Context(), client.Request{
		Method: http.MethodGet, Path: "/auth/me", Header: http.Header{"Cookie": {"frontrow_session=" + c.Value}},
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
	if err := visitor().Register(t.Context(), a.user.Email, "another horse battery", "Another"); err != nil {
		t.Errorf("the response differs from that for an unknown e-mail: %v", err)
	}
	_, err := visitor().Login(t.Context(), a.user.Email, "another horse battery")
	wantCode(t, err, 401, "invalid_credentials")
	if me := must(a.Me(t.Context()))(t); me.Name != "Buyer" {
		t.Errorf("the account's name is now %q", me.Name)
	}
}

func TestUserSeesOwnSessionsAndEndsOne(t *testing.T) {
	a := newBuyer(t)
	other := must(login(t, a.user.Email))(t)
	var list client.SessionList
	for range 2 {
		resp := must(a.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/auth/me/sessions"}))(t)
		if err := json.Unmarshal(resp.Body, &list); err != nil || len(list.Items) != 2 {
			t.Fatalf("%d %s, want two sessions", resp.Status, resp.Body)
		}
	}
	for _, s := range list.Items {
		if !s.Current {
			resp := must(a.Do(t.Context(), client.Request{Method: http.MethodDelete, Path: "/auth/me/sessions/" + s.ID}))(t)
			if resp.Status != http.StatusNoContent {
				t.Errorf("%d %s", resp.Status, resp.Body)
			}
		}
	}
	testkit.Eventually(t, "the other session has ended", func() bool {
		_, err := other.Me(t.Context())
		return client.AsProblem(err) != nil
	})
	must(a.Me(t.Context()))(t)
}

func TestRequestsFromOtherSitesAreRefused(t *testing.T) {
	for _, path := range []string{"/auth/login", "/auth/register"} {
		resp := must(visitor().Do(t.Context(), client.Request{
			Method: http.MethodPost, Path: path, Body: []byte("{}"), Header: http.Header{"Origin": {"https://evil.example"}},
		}))(t)
		if resp.Status != http.StatusForbidden {
			t.Errorf("%s from another site: %d %s", path, resp.Status, resp.Body)
		}
	}
}
