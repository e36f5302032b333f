package challenge

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// provider answers siteverify requests and keeps the last one.
type provider struct {
	status int
	answer string
	got    *http.Request
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	p.got = r
	w.WriteHeader(p.status)
	_, _ = fmt.Fprint(w, p.answer)
}

func widget(t *testing.T, p *provider) (Verifier, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	v, err := New(parse(t, map[string]string{
		"QUEUE_TURNSTILE_SECRET": "s3cret", "QUEUE_TURNSTILE_SITE_KEY": "site", "QUEUE_TURNSTILE_URL": server.URL,
		"QUEUE_TURNSTILE_SCRIPT": "https://provider/x.js",
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	return v, server
}

func TestSiteverify(t *testing.T) {
	const unavailable = "unavailable"
	for name, test := range map[string]struct {
		status       int
		answer, want string
	}{
		"valid":                 {200, `{"success":true,"hostname":"frontrow.example","action":"queue","error-codes":[]}`, "true"},
		"invalid":               {200, `{"success":false,"error-codes":["invalid-input-response"]}`, "false"},
		"invalid, bad status":   {400, `{"success":false,"error-codes":["timeout-or-duplicate"]}`, "false"},
		"invalid without codes": {200, `{"success":false}`, "false"},
		"wrong secret":          {200, `{"success":false,"error-codes":["invalid-input-secret"]}`, unavailable},
		"provider's fault":      {200, `{"success":false,"error-codes":["internal-error"]}`, unavailable},
		"provider down":         {502, `<html>Bad gateway</html>`, unavailable},
		"another endpoint":      {200, `{}`, unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p := &provider{status: test.status, answer: test.answer}
			v, _ := widget(t, p)
			solved, err := v.Solved(t.Context(), event, user, rest.PlaceRequest{Solution: "response"}, "192.0.2.1", now)
			got := fmt.Sprint(solved)
			if err != nil {
				got = problem.From(err).Code
			}
			if got != test.want {
				t.Errorf("%s, error %v; want %s", got, err, test.want)
			}
			for name, want := range map[string]string{"secret": "s3cret", "response": "response", "remoteip": "192.0.2.1"} {
				if got := p.got.PostForm.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestSiteverifyIsNotAskedWithoutAResponse(t *testing.T) {
	p := &provider{status: 200, answer: `{"success":true}`}
	v, _ := widget(t, p)
	if solved, err := v.Solved(t.Context(), event, user, rest.PlaceRequest{Challenge: "x"}, "", now); solved || err != nil {
		t.Errorf("solved is %t, error %v", solved, err)
	}
	if p.got != nil {
		t.Error("the provider was asked")
	}
}

func TestUnreachableProviderIsUnavailable(t *testing.T) {
	v, server := widget(t, &provider{})
	server.Close()
	_, err := v.Solved(t.Context(), event, user, rest.PlaceRequest{Solution: "response"}, "", now)
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.CodeUnavailable {
		t.Errorf("error %v, want unavailable", err)
	}
}

func TestWidgetHasTheSiteKeyAndTheScript(t *testing.T) {
	v, _ := widget(t, &provider{})
	want := rest.QueueChallenge{Kind: rest.QueueChallengeKindTurnstile, SiteKey: "site", Script: "https://provider/x.js"}
	if got := v.Challenge(event, user, now); got != want {
		t.Errorf("challenge %+v, want %+v", got, want)
	}
}
