package history

import (
	"errors"
	"testing"

	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestClassify(t *testing.T) {
	problem := func(status int, code string) error {
		return &client.Problem{ProblemDetails: client.ProblemDetails{Status: status, Code: code}}
	}
	tests := []struct {
		name string
		err  error
		sent bool
		want Outcome
	}{
		{"answered", nil, true, Done},
		{"refused", problem(409, "seats_taken"), true, NotDone},
		{"the session is gone", problem(401, "session_invalid"), true, NotDone},
		{"too many requests", problem(429, "rate_limited"), true, NotDone},
		{"guaranteed that nothing was done", problem(503, "unavailable"), true, NotDone},
		{"said to be unknown", problem(503, "outcome_unknown"), true, Unknown},
		{"a 503 of something else", problem(503, ""), true, Unknown},
		{"an internal error", problem(500, "internal"), true, Unknown},
		{"the gateway stopped waiting", problem(504, "upstream_timeout"), true, Unknown},
		{"the connection broke", errors.New("connection reset"), true, Unknown},
		{"no connection", errors.New("connection refused"), false, NotDone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Classify(tt.err, tt.sent); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
