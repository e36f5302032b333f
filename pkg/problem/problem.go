// Package problem implements the errors that clients see: RFC 9457 problem
// details with a stable code. api/problems.json is the catalogue of codes.
package problem

//go:generate go run ./generate ../..

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"
)

// TypeBase precedes the code in a problem's type URI.
const TypeBase = "https://frontrow.example/problems/"

// Field identifies one invalid field of a request.
type Field struct {
	// Field is the path in the body, such as sections[2].rows[0].label, or the
	// name of a query parameter.
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is an error with a response for the client. Err, the cause, is logged
// and never sent.
type Error struct {
	Status     int
	Code       string
	Detail     string
	Fields     []Field
	RetryAfter time.Duration
	Extensions map[string]any
	Err        error
}

// New returns a problem with a code of the catalogue, the code's status there,
// and a detail for people.
func New(status int, code, detail string) *Error {
	return &Error{Status: status, Code: code, Detail: detail}
}

// Error returns the code, the detail and the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.Err)
	}
	return e.Code + ": " + e.Detail
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Because returns a copy with the cause set.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// After returns a copy that asks the client to retry after d.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// With returns a copy with an extension member.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Extensions = maps.Clone(e.Extensions)
	if c.Extensions == nil {
		c.Extensions = map[string]any{}
	}
	c.Extensions[key] = value
	return &c
}

// Invalid is the response to a body or query with invalid fields (422).
func Invalid(fields ...Field) *Error {
	return &Error{
		Status: http.StatusUnprocessableEntity, Code: CodeValidationFailed,
		Detail: "The request has invalid fields. See errors.", Fields: fields,
	}
}

// NotFound is the response for something that does not exist or is not the
// caller's (404).
func NotFound(what string) *Error {
	return New(http.StatusNotFound, CodeNotFound, what+" was not found.")
}

// Forbidden is the response to a caller whose role does not allow the request
// (403).
func Forbidden(detail string) *Error { return New(http.StatusForbidden, CodeForbidden, detail) }

// Unavailable is the response while a dependency is down (503). It asks the
// client to retry after a second.
func Unavailable(err error) *Error {
	return &Error{
		Status: http.StatusServiceUnavailable, Code: CodeUnavailable,
		Detail: "Frontrow is temporarily unavailable. Try again.", RetryAfter: time.Second, Err: err,
	}
}

// From returns err as a problem. An error that is not one becomes CodeInternal
// (500).
func From(err error) *Error {
	var p *Error
	if errors.As(err, &p) {
		return p
	}
	return &Error{
		Status: http.StatusInternalServerError, Code: CodeInternal,
		Detail: "Something went wrong on our side. Try again later.", Err: err,
	}
}

// Write sends the problem as the response.
func (e *Error) Write(w http.ResponseWriter, requestID string) {
	body := make(map[string]any, len(e.Extensions)+7)
	maps.Copy(body, e.Extensions)
	body["type"] = TypeBase + e.Code
	body["title"] = titles[e.Code]
	body["status"] = e.Status
	body["code"] = e.Code
	body["detail"] = e.Detail
	if requestID != "" {
		body["request_id"] = requestID
	}
	if len(e.Fields) > 0 {
		body["errors"] = e.Fields
	}
	h := w.Header()
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	h.Del("Content-Length")
	h.Del("ETag")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(body)
}
