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

// Classify judges a call by its error, and by whether anything of it can have
// reached a gateway.
//
//   - 2xx is a promise: Done.
//   - 4xx is a refusal, and openapi.yaml promises that a refusal changes
//     nothing. That includes 401 (the session is gone), 409 and 429.
//   - 503 with the code "unavailable" is NotDone, because openapi.yaml says:
//     "Nothing was done, except for outcome_unknown". If the services break that
//     promise, a booking or payment turns up that was answered no: a violation.
//   - 503 with the code "outcome_unknown" is Unknown: that is what it is for.
//   - Any other 5xx is Unknown: 500 and 502 promise nothing, and 504 says only
//     that the gateway has stopped waiting.
//   - Without an answer a call is Unknown: the request may still be on its way
//     and have its effect at any later time. It is NotDone only if no connection
//     was there to send it on.
//   - A 2xx whose body broke off is Unknown: it was done, but what is not known.
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
