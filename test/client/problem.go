package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Problem is a response other than 2xx.
type Problem struct {
	ProblemDetails
	// RetryAfter is zero if the response has none.
	RetryAfter time.Duration `json:"-"`

	where string
}

// Error describes the request and the response.
func (p *Problem) Error() string {
	text := fmt.Sprintf("%s: %d %s: %s (request %s)", p.where, p.Status, p.Code, p.Detail, p.RequestID)
	if len(p.Errors) > 0 {
		text += fmt.Sprintf(" errors: %v", p.Errors)
	}
	if len(p.Seats) > 0 {
		text += fmt.Sprintf(" seats: %v", p.Seats)
	}
	return text
}

// AsProblem returns the problem in a call's error, or nil.
func AsProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// IsCode reports whether a call's error is the problem with this code.
func IsCode(err error, code string) bool {
	p := AsProblem(err)
	return p != nil && p.Code == code
}

// Problem decodes a response as a problem. Its Code is empty if it is not one.
func (r Response) Problem() *Problem { return problemOf(Request{}, r) }

func problemOf(r Request, resp Response) *Problem {
	p := &Problem{where: r.Method + " " + r.Path}
	if json.Unmarshal(resp.Body, p) != nil {
		p.Detail = string(resp.Body)
	}
	p.Status = resp.Status
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = time.Duration(seconds) * time.Second
	}
	return p
}
