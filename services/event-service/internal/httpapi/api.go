// Package httpapi implements event-service's part of the REST API.
package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/postgres"
)

// API handles requests about venues and events.
type API struct {
	store *postgres.Store
	clock clock.Clock
}

// New returns the service's routes.
func New(store *postgres.Store, verifier *identity.Verifier, c clock.Clock) http.Handler {
	a := &API{store: store, clock: c}
	routes := httpapi.New(verifier)
	handle := func(method, path string, h httpapi.Handler) { routes.Handle(method, path, within(requestTimeout, h)) }
	organizers := func(h httpapi.Handler) httpapi.Handler {
		return httpapi.WithRole(h, identity.Organizer, identity.Admin)
	}
	handle(http.MethodPost, "/api/v1/venues", organizers(a.createVenue))
	handle(http.MethodGet, "/api/v1/venues", organizers(a.venues))
	handle(http.MethodGet, "/api/v1/venues/{id}", a.venue)
	handle(http.MethodPost, "/api/v1/events", organizers(a.createEvent))
	handle(http.MethodGet, "/api/v1/events", a.events)
	handle(http.MethodGet, "/api/v1/events/{id}", a.event)
	handle(http.MethodPatch, "/api/v1/events/{id}", organizers(a.changeEvent))
	handle(http.MethodDelete, "/api/v1/events/{id}", organizers(a.deleteEvent))
	handle(http.MethodPost, "/api/v1/events/{id}/publish", organizers(a.publishEvent))
	handle(http.MethodPost, "/api/v1/events/{id}/cancel", organizers(httpapi.WithRecent(a.cancelEvent)))
	return routes
}

// requestTimeout limits a request: a database that hangs is treated like one
// that is down, and the client is asked to retry (503).
const requestTimeout = 10 * time.Second

func within(d time.Duration, h httpapi.Handler) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), d)
		defer cancel()
		return h(w, r.WithContext(ctx))
	}
}
