package httpapi

import (
	"net/http"
	"strconv"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

var (
	errPreconditionRequired = problem.New(http.StatusPreconditionRequired, problem.CodePreconditionRequired,
		"Send If-Match with the ETag of the version you are changing.")
	errPreconditionFailed = problem.New(http.StatusPreconditionFailed, problem.CodePreconditionFailed,
		"The event has changed since you read it. Read it again.")
)

// etag returns an event's ETag, which is its version.
func etag(e *event.Event) string { return strconv.Quote(strconv.FormatInt(e.Version, 10)) }

// checkMatch checks If-Match, which is optional unless required is set. Weak tags
// match too: a compressing proxy weakens them, and a version is exact anyway.
func checkMatch(r *http.Request, e *event.Event, required bool) error {
	header := r.Header.Get("If-Match")
	switch {
	case header == "" && required:
		return errPreconditionRequired
	case header != "" && !httpapi.ETagMatches(header, etag(e)):
		return errPreconditionFailed
	}
	return nil
}

// idempotent reads the body of a POST that creates something, and the key that
// makes it idempotent.
func idempotent(w http.ResponseWriter, r *http.Request, limit int64, scope string) (postgres.Key, []byte, error) {
	key, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return postgres.Key{}, nil, err
	}
	body, err := httpapi.ReadBody(w, r, limit)
	if err != nil {
		return postgres.Key{}, nil, err
	}
	return postgres.Key{
		Scope: scope, Owner: identity.FromContext(r.Context()).UserID.String(), Key: key, RequestHash: httpapi.RequestHash(r, body),
	}, body, nil
}
