package history

import (
	"net/http"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// Outcome says whether a call took effect.
type Outcome string

// Outcomes.
const (
	Done    Outcome = "done"
	NotDone Outcome = "not done"
	Unknown Outcome = "unknown"
)

// Classify returns the outcome of a call with an error. Sent says whether any of
// the request can have reached a gateway.
//
//   - 2xx is Done.
//   - 4xx is NotDone: openapi.yaml guarantees that a refusal changes nothing.
//     That includes 401 (the session is gone), 409 and 429.
//   - 503 with the code "unavailable" is NotDone: openapi.yaml guarantees that
//     nothing was done. If a service breaks that guarantee, a booking or payment
//     exists whose request was refused, which is a violation.
//   - 503 with the code "outcome_unknown" is Unknown.
//   - Any other 5xx is Unknown: 500 and 502 guarantee nothing, and 504 only says
//     that the gateway has stopped waiting.
//   - Without a response a call is Unknown: the request may still be in flight
//     and take effect at any later time. It is NotDone only if there was no
//     connection to send it on.
//   - A 2xx with a truncated body is Unknown: its content is not known.
func Classify(err error, sent bool) Outcome {
	if err == nil {
		return Done
	}
	p := client.AsProblem(err)
	switch {
	case p == nil && !sent:
		return NotDone
	case p == nil:
		return Unknown
	case p.Status >= 400 && p.Status < 500:
		return NotDone
	case p.Status == http.StatusServiceUnavailable && p.Code == "unavailable":
		return NotDone
	}
	return Unknown
}
