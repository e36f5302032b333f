package edge

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// statusClientClosedRequest is nginx's status for clients that disconnected. Only the metrics see it.
const statusClientClosedRequest = 499

// call is the state of one request.
type call struct {
	w         *httpapi.Recorder
	r         *http.Request
	start     time.Time
	requestID string
	client    client
	endpoint  *endpoint
	// pathID is the path's first variable.
	pathID string
	caller identity.Identity
	// sessionID is set if the caller is logged in.
	sessionID string
}

func newCall(w http.ResponseWriter, r *http.Request) *call {
	return &call{
		w: &httpapi.Recorder{ResponseWriter: w}, r: r, start: time.Now(), requestID: newRequestID(),
		caller: identity.Identity{Role: identity.Anonymous},
	}
}

func newRequestID() string {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}

// status returns the status of the response.
func (c *call) status() int {
	if c.w.Status == 0 {
		return http.StatusOK
	}
	return c.w.Status
}

// methodLabel returns the metric label of the method: clients may send any.
func (c *call) methodLabel() string {
	switch c.r.Method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead,
		http.MethodOptions:
		return c.r.Method
	default:
		return "other"
	}
}

// fail responds with err as a problem, and logs server errors.
func (c *call) fail(err error) {
	if c.r.Context().Err() != nil {
		c.w.WriteHeader(statusClientClosedRequest)
		return
	}
	p := problem.From(err)
	// Requests refused for overload are counted, not logged: logging would cost more than refusing.
	if p.Status >= http.StatusInternalServerError && p.Code != problem.CodeOverloaded {
		slog.WarnContext(c.r.Context(), "request failed", "route", c.endpoint.template, "method", c.r.Method,
			"status", p.Status, "code", p.Code, "error", err, "request_id", c.requestID)
	}
	if p.Status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", "Bearer")
	}
	p.Write(c.w, c.requestID)
}
