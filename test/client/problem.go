package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Problem is an answer that is not 2xx.
type Problem struct {
	Status        int          `json:"status"`
	Code          string       `json:"code"`
	Detail        string       `json:"detail"`
	RequestID     string       `json:"request_id"`
	Errors        []FieldError `json:"errors"`
	Seats         []string     `json:"seats"`
	Limit         int          `json:"limit"`
	Held          int          `json:"held"`
	BookingStatus string       `json:"booking_status"`
	// RetryAfter is zero when the answer has none.
	RetryAfter time.Duration `json:"-"`

	where string
}

// FieldError names a wrong field.
type FieldError struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error says what was asked and what was answered.
func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %d %s: %s %v%v (request %s)", p.where, p.Status, p.Code, p.Detail, p.Errors, p.Seats, p.RequestID)
}

// AsProblem returns the problem that an error of a call is, or nil.
func AsProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// IsCode tells whether an error of a call is the problem with this code.
func IsCode(err error, code string) bool {
	p := AsProblem(err)
	return p != nil && p.Code == code
}

// Problem decodes an answer as a problem; its Code is empty if it is none.
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
