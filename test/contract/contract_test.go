package contract_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/frontrow-tickets/frontrow/test/contract"
)

const user = `{"id":"0193b3a0-1111-7abc-8def-000000000001","email":"a@b.example","name":"A","role":"customer","language":"en","email_verified":true,"second_factor":false,"created_at":"2026-11-22T14:00:00Z"}`

func TestOpenAPIDocumentIsValid(t *testing.T) {
	if err := load(t).Lint(); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	const problem = `{"type":"https://frontrow.example/problems/%","title":"T","status":422,"code":"%"}`
	withCode := func(code string) string { return strings.ReplaceAll(problem, "%", code) }
	tests := []struct {
		name         string
		method, path string
		request      string
		status       int
		contentType  string
		answer       string
		want         string // part of the error; empty if none
	}{
		{"a described exchange", "GET", "/auth/me", "", 200, "application/json", user, ""},
		{"a missing member", "GET", "/auth/me", "", 200, "application/json", strings.Replace(user, `"name":"A",`, "", 1), "name"},
		{"a member nobody described", "GET", "/auth/me", "", 200, "application/json", strings.Replace(user, `{`, `{"shoe_size":43,`, 1), "shoe_size"},
		{"an id that is no UUID", "GET", "/auth/me", "", 200, "application/json", strings.Replace(user, "0193b3a0-", "", 1), "uuid"},
		{"a status nobody described", "GET", "/auth/me", "", 418, "application/problem+json", withCode("internal"), "418"},
		{"a route nobody described", "GET", "/auth/them", "", 200, "application/json", user, "/auth/them"},
		{"a wrong request refused", "POST", "/payments", `{"nonsense":1}`, 422, "application/problem+json", withCode("validation_failed"), ""},
		{"a wrong request accepted", "POST", "/auth/login", `{"nonsense":1}`, 200, "application/json", user, "request"},
		{"a code that does not belong to the status", "POST", "/payments", `{}`, 422, "application/problem+json", withCode("not_found"), "$.code"},
		{"an error that is no problem", "POST", "/payments", `{}`, 422, "application/json", withCode("validation_failed"), "content type"},
		{"503 without Retry-After", "GET", "/auth/me", "", 503, "application/problem+json", withCode("unavailable"), "Retry-After"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequest(tt.method, "http://127.0.0.1:8080/api/v1"+tt.path, nil)
			req.Header.Set("Authorization", "Bearer x")
			if tt.request != "" {
				req.Header.Set("Content-Type", "application/json")
			}
			resp := &http.Response{StatusCode: tt.status, Header: http.Header{"Content-Type": {tt.contentType}}}
			err := load(t).Check(req, []byte(tt.request), resp, []byte(tt.answer))
			if tt.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func load(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestExamplesMatchTheirSchemas(t *testing.T) {
	checked, err := load(t).CheckExamples()
	if err != nil {
		t.Error(err)
	}
	if checked < 10 {
		t.Errorf("only %d examples were found", checked)
	}
}
