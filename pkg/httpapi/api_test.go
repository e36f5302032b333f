package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

type reply struct {
	status int
	code   string
	header http.Header
	body   string
}

func ask(t *testing.T, h http.Handler, method, path, token, body string) reply {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set(identity.Header, token)
	}
	req.Header.Set(httpapi.RequestIDHeader, "r-1")
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	var p struct {
		Code string `json:"code"`
	}
	if rec.Header().Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
			t.Fatalf("%v in %s", err, rec.Body)
		}
	}
	return reply{rec.Code, p.Code, rec.Header(), rec.Body.String()}
}

func newAPI(t *testing.T) (h http.Handler, sign func(identity.Identity) string) {
	t.Helper()
	signer, key := testkit.Signer(t, "test-service")
	verifier, err := identity.NewVerifier("test-service", key)
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(verifier)
	api.Handle(http.MethodPost, "/things", func(w http.ResponseWriter, r *http.Request) error {
		v, err := httpapi.Decode[rest.NewTicketType](w, r)
		if err != nil {
			return err
		}
		return httpapi.WriteJSON(w, http.StatusCreated, v)
	})
	api.Handle(http.MethodGet, "/mine", httpapi.WithSession(func(w http.ResponseWriter, r *http.Request) error {
		return httpapi.WriteJSON(w, http.StatusOK, identity.FromContext(r.Context()).UserID)
	}))
	api.Handle(http.MethodGet, "/admin", httpapi.WithRole(func(w http.ResponseWriter, _ *http.Request) error {
		return httpapi.WriteJSON(w, http.StatusOK, 1)
	}, identity.Admin))
	ok := func(w http.ResponseWriter, _ *http.Request) error { return httpapi.WriteJSON(w, http.StatusOK, 1) }
	api.Handle(http.MethodGet, "/verified", httpapi.WithVerified(ok))
	api.Handle(http.MethodGet, "/recent", httpapi.WithRecent(ok))
	api.Handle(http.MethodGet, "/broken", func(http.ResponseWriter, *http.Request) error { return errors.New("the secret is 42") })
	api.Handle(http.MethodGet, "/panics", func(http.ResponseWriter, *http.Request) error { panic("the secret is 42") })
	api.Handle(http.MethodGet, "/down", func(http.ResponseWriter, *http.Request) error {
		return problem.Unavailable(errors.New("no")).After(1500 * time.Millisecond)
	})
	api.HandleWithoutIdentity(http.MethodGet, "/open", func(w http.ResponseWriter, _ *http.Request) error {
		return httpapi.WriteJSON(w, http.StatusOK, 1)
	})
	return api, func(id identity.Identity) string {
		token := signer.Sign(id)
		return token
	}
}

func TestErrorsAreProblemsWithStableCodes(t *testing.T) {
	api, sign := newAPI(t)
	anonymous := sign(identity.Identity{Role: identity.Anonymous})
	customer := sign(identity.Identity{UserID: uuid.Must(uuid.NewV7()), Role: identity.Customer})
	verified := sign(identity.Identity{UserID: uuid.Must(uuid.NewV7()), Role: identity.Customer, Verified: true})
	recent := sign(identity.Identity{UserID: uuid.Must(uuid.NewV7()), Role: identity.Customer, Recent: true})
	stranger := testkit.Forged(t, "test-service")
	for name, c := range map[string]struct {
		method, path, token, body string
		status                    int
		code                      string
	}{
		"no identity":           {"POST", "/things", "", `{}`, 401, "identity_required"},
		"no identity, no route": {"GET", "/nowhere", "", "", 401, "identity_required"},
		"forged identity":       {"POST", "/things", stranger, `{}`, 401, "identity_invalid"},
		"no session":            {"GET", "/mine", anonymous, "", 401, "session_required"},
		"no session for a role": {"GET", "/admin", anonymous, "", 401, "session_required"},
		"wrong role":            {"GET", "/admin", customer, "", 403, "forbidden"},
		"not verified":          {"GET", "/verified", recent, "", 403, "email_not_verified"},
		"nobody to verify":      {"GET", "/verified", anonymous, "", 401, "session_required"},
		"verified":              {"GET", "/verified", verified, "", 200, ""},
		"not recent":            {"GET", "/recent", verified, "", 403, "reauthentication_required"},
		"nobody recent":         {"GET", "/recent", anonymous, "", 401, "session_required"},
		"recent":                {"GET", "/recent", recent, "", 200, ""},
		"no such address":       {"GET", "/nowhere", anonymous, "", 404, "not_found"},
		"no such method":        {"DELETE", "/things", anonymous, "", 405, "method_not_allowed"},
		"cut off":               {"POST", "/things", anonymous, `{"name":`, 400, "malformed_json"},
		"nothing":               {"POST", "/things", anonymous, ``, 400, "malformed_json"},
		"two values":            {"POST", "/things", anonymous, `{} {}`, 400, "malformed_json"},
		"unknown field":         {"POST", "/things", anonymous, `{"nam":"x"}`, 400, "unknown_field"},
		"wrong type":            {"POST", "/things", anonymous, `{"price":"x"}`, 422, "validation_failed"},
		"too large":             {"POST", "/things", anonymous, `{"name":"` + strings.Repeat("x", httpapi.DefaultBodyLimit) + `"}`, 413, "body_too_large"},
		"an error of our own":   {"GET", "/broken", anonymous, "", 500, "internal"},
		"a panic":               {"GET", "/panics", anonymous, "", 500, "internal"},
		"something is down":     {"GET", "/down", anonymous, "", 503, "unavailable"},
		"open to everybody":     {"GET", "/open", "", "", 200, ""},
		"as it should be":       {"POST", "/things", anonymous, `{"name":"x","category":"y","price":1}`, 201, ""},
		"with a session":        {"GET", "/mine", customer, "", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, api, c.method, c.path, c.token, c.body)
			if got.status != c.status || got.code != c.code {
				t.Errorf("got %d %q, want %d %q: %s", got.status, got.code, c.status, c.code, got.body)
			}
			if strings.Contains(got.body, "secret") {
				t.Errorf("internals were shown: %s", got.body)
			}
		})
	}
	if got := ask(t, api, "GET", "/down", anonymous, ""); got.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
	}
	if got := ask(t, api, "GET", "/broken", anonymous, ""); !strings.Contains(got.body, `"request_id":"r-1"`) {
		t.Errorf("the request id is missing: %s", got.body)
	}
}

func TestEveryWrongFieldIsNamed(t *testing.T) {
	api, sign := newAPI(t)
	got := ask(t, api, "POST", "/things", sign(identity.Identity{Role: identity.Anonymous}), `{"name":"","price":-1}`)
	for _, field := range []string{"name", "category", "price"} {
		if !strings.Contains(got.body, `"field":"`+field+`"`) {
			t.Errorf("%s is not named in %s", field, got.body)
		}
	}
}

func TestMediaTypeMustBeJSON(t *testing.T) {
	api, sign := newAPI(t)
	for contentType, want := range map[string]int{
		"application/json; charset=utf-8": 201, "application/merge-patch+json": 201, "text/plain": 415, "a/b/c": 415, "": 415,
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/things", strings.NewReader(`{"name":"x","category":"y","price":1}`))
		req.Header.Set(identity.Header, sign(identity.Identity{Role: identity.Anonymous}))
		req.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, req)
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", contentType, rec.Code, want)
		}
	}
}

func TestBodyWithoutContractHasNoNull(t *testing.T) {
	type thing struct {
		Name  *string `json:"name"`
		Other []int   `json:"other"`
	}
	for body, valid := range map[string]bool{
		`{"name":"null"}`: true, `{"name":"\"n","other":[]}`: true, `{"name":"\\"}`: true, `{}`: true,
		`null`: false, `{"name":null}`: false, `{"other":[1,null]}`: false, `{"name":"\\","other":null}`: false,
	} {
		if err := httpapi.Unmarshal([]byte(body), &thing{}); (err == nil) != valid {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestOptionalBodyNeedsNoMediaType(t *testing.T) {
	for body, want := range map[string]int{"": 200, `{"name":"x","category":"y","price":1}`: 415} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		status := http.StatusOK
		if _, err := httpapi.DecodeOptional[rest.NewTicketType](httptest.NewRecorder(), req); err != nil {
			status = problem.From(err).Status
		}
		if status != want {
			t.Errorf("%q: %d, want %d", body, status, want)
		}
	}
}

func TestIdempotencyKeyMustBeVisibleASCII(t *testing.T) {
	for value, valid := range map[string]bool{
		"a": true, strings.Repeat("k", 255): true, strings.Repeat("k", 256): false, "": false, "a b": false, "é": false,
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		req.Header.Set(httpapi.IdempotencyKeyHeader, value)
		if key, err := httpapi.IdempotencyKey(req); (err == nil) != valid || (valid && key != value) {
			t.Errorf("%.10q: %q %v", value, key, err)
		}
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	if key, err := httpapi.IdempotencyKey(req); key != "" || err != nil {
		t.Errorf("without the header: %q %v", key, err)
	}
	req.Header[httpapi.IdempotencyKeyHeader] = []string{"a", "b"}
	if _, err := httpapi.IdempotencyKey(req); err == nil {
		t.Error("two keys were accepted")
	}
}
