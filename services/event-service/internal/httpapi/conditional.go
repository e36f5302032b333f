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

// etag returns the ETag of an event: its version, and whether the event is past,
// which only the clock decides.
func etag(version int64, status event.Status) string {
	tag := strconv.FormatInt(version, 10)
	if status == event.Past {
		tag += "-past"
	}
	return strconv.Quote(tag)
}

// checkMatch checks If-Match, which is optional unless required is set. The
// version decides: the end of an event is no change. Weak tags match too: a
// compressing proxy weakens them, and a version is exact anyway.
func checkMatch(r *http.Request, e *event.Event, required bool) error {
	tags, err := httpapi.IfMatch(r)
	switch {
	case err != nil:
		return err
	case tags == "" && required:
		return errPreconditionRequired
	case tags != "" && !httpapi.ETagMatches(tags, etag(e.Version, event.Published)) &&
		!httpapi.ETagMatches(tags, etag(e.Version, event.Past)):
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
