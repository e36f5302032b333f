package upstream

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

func TestOutcomeDecidesRetryAndError(t *testing.T) {
	broken := errors.New("connection reset")
	status := func(code int) result { return result{outcome: answered, response: &Response{Status: code}} }
	for name, tt := range map[string]struct {
		result result
		route  *route.Route
		retry  bool
		code   string
	}{
		"read not sent":          {result{notSent, nil, broken}, read, true, "unavailable"},
		"write not sent":         {result{notSent, nil, broken}, write, true, "unavailable"},
		"write not sent in time": {result{notSent, nil, errAttemptTimeout}, write, true, "unavailable"},
		"read interrupted":       {result{unknown, nil, broken}, read, true, "unavailable"},
		"read timed out":         {result{unknown, nil, errAttemptTimeout}, read, true, "upstream_timeout"},
		"write interrupted":      {result{unknown, nil, broken}, write, false, "outcome_unknown"},
		"write timed out":        {result{unknown, nil, errAttemptTimeout}, write, false, "outcome_unknown"},
		"read answered":          {status(http.StatusOK), read, false, ""},
		"read failed":            {status(http.StatusInternalServerError), read, false, ""},
		"read answered 502":      {status(http.StatusBadGateway), read, true, ""},
		"read answered 503":      {status(http.StatusServiceUnavailable), read, true, ""},
		"write answered 503":     {status(http.StatusServiceUnavailable), write, false, ""},
	} {
		if got := tt.result.mayRetry(tt.route); got != tt.retry {
			t.Errorf("%s: retry %t, want %t", name, got, tt.retry)
		}
		if got := code(tt.result.problem(tt.route)); got != tt.code {
			t.Errorf("%s: problem %q, want %q", name, got, tt.code)
		}
	}
}

func TestAttemptTellsNotSentFromUnknown(t *testing.T) {
	for name, tt := range map[string]struct {
		handle http.HandlerFunc // nil for a replica that refuses connections
		want   outcome
	}{
		"connection refused": {nil, notSent},
		"connection closed after the request": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}, unknown},
		"body interrupted": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "part")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, unknown},
		"no response in time": {hangs, unknown},
		"any response": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		}, answered},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := service(t, 1, tt.handle)
			p := f.pools[route.Booking]
			if tt.handle == nil {
				p.Set([]Replica{{"a", testkit.FreeAddr(t)}})
			}
			req := &Request{Route: write, Path: "/", Header: http.Header{}, Body: []byte("{}")}
			got := f.attempt(t.Context(), (*p.instances.Load())[0], req)
			defer got.response.Close()
			if got.outcome != tt.want || (got.err == nil) != (tt.want == answered) {
				t.Errorf("outcome %d with error %v, want outcome %d", got.outcome, got.err, tt.want)
			}
		})
	}
}
