package upstream

import (
	"errors"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

// outcome says what is known about an attempt to send a request to a replica. It decides what
// follows; "next" is another attempt, while replicas, time and the retry budget last:
//
//	outcome   the route may be retried                          it may not
//	notSent   next, else unavailable                            next, else unavailable
//	unknown   next, else upstream_timeout or unavailable        outcome_unknown
//	answered  502 and 503: next, else the response              the response
//	          other statuses: the response
type outcome int

const (
	// notSent means that nothing of the request reached the replica.
	notSent outcome = iota
	// unknown means that the replica may have received the request and acted on it.
	unknown
	// answered means that the replica sent a response.
	answered
)

// errAttemptTimeout is the error of an attempt that exceeded its route's timeout.
var errAttemptTimeout = errors.New("attempt timed out")

// result is the end of one attempt: a response if the replica answered, otherwise an error.
type result struct {
	outcome  outcome
	response *Response
	err      error
}

// mayRetry reports whether another attempt has no second effect and may succeed.
func (r result) mayRetry(rt *route.Route) bool {
	switch r.outcome {
	case notSent:
		return true
	case unknown:
		return rt.Retry
	default:
		status := r.response.Status
		return rt.Retry && (status == http.StatusBadGateway || status == http.StatusServiceUnavailable)
	}
}

// problem returns the error for the client, or nil if the replica answered.
func (r result) problem(rt *route.Route) error {
	switch {
	case r.outcome == answered:
		return nil
	case r.outcome == unknown && !rt.Retry:
		return problem.New(http.StatusServiceUnavailable, problem.CodeOutcomeUnknown,
			"The connection broke before the response. The request may have taken effect or not. "+
				"Send it again, with the same Idempotency-Key if it has one.").After(time.Second).Because(r.err)
	case r.outcome == unknown && errors.Is(r.err, errAttemptTimeout):
		return problem.New(http.StatusGatewayTimeout, problem.CodeUpstreamTimeout, "The response took too long.").Because(r.err)
	default:
		return problem.Unavailable(r.err)
	}
}
