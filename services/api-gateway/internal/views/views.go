// Package views fetches and caches the public responses about events, so that they can be served while
// event-service is down.
package views

import (
	"net/http"
	"time"
)

// View is a public response about events.
type View struct {
	Status int
	Header http.Header
	Body   []byte
	// ConfirmedAt is when event-service last sent the response, or confirmed that it had not changed.
	ConfirmedAt time.Time
	// Stale marks a cached response that event-service did not confirm for this request.
	Stale bool
}

func (v *View) size() int { return len(v.Body) + entryOverhead }
