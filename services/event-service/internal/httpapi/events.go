package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/postgres"
)

func (a *API) createEvent(w http.ResponseWriter, r *http.Request) error {
	key, body, err := idempotent(w, r, httpapi.DefaultBodyLimit, "POST /events")
	if err != nil {
		return err
	}
	definition, err := httpapi.Parse[rest.NewEvent](body)
	if err != nil {
		return err
	}
	ctx := r.Context()
	status, answer, replayed, err := a.store.Once(ctx, key, func(tx postgres.Tx) (int, []byte, error) {
		venue, err := tx.Venue(ctx, definition.VenueID)
		if err != nil {
			return 0, nil, err
		}
		id, err := uuid.NewV7()
		if err != nil {
			return 0, nil, err
		}
		now := a.clock.Now()
		e, err := event.New(definition, venue, id, identity.FromContext(ctx).UserID, now)
		if err != nil {
			return 0, nil, err
		}
		if err := tx.InsertEvent(ctx, e); err != nil {
			return 0, nil, err
		}
		answer, err := json.Marshal(view(e, now))
		return http.StatusCreated, answer, err
	})
	if err != nil {
		return err
	}
	if replayed {
		w.Header().Set(httpapi.ReplayedHeader, "true")
	}
	var created rest.Event
	if err := json.Unmarshal(answer, &created); err != nil {
		return fmt.Errorf("stored response: %w", err)
	}
	w.Header().Set("Location", "/api/v1/events/"+created.ID.String())
	w.Header().Set("ETag", etag(created.Version, event.Draft))
	httpapi.WriteBody(w, status, answer)
	return nil
}

func (a *API) event(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "The event")
	if err != nil {
		return err
	}
	e, err := a.store.Event(r.Context(), id)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	if e.Status == event.Draft {
		if !owns(r.Context(), e) {
			return problem.NotFound("The event")
		}
		w.Header().Set("Cache-Control", "private, no-store")
	}
	now := a.clock.Now()
	tag := etag(e.Version, e.StatusAt(now))
	if httpapi.ETagMatches(r.Header.Get("If-None-Match"), tag) {
		w.Header().Set("ETag", tag)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return write(w, e, now)
}

// write answers with the event's state at a time.
func write(w http.ResponseWriter, e *event.Event, now time.Time) error {
	w.Header().Set("ETag", etag(e.Version, e.StatusAt(now)))
	return httpapi.WriteJSON(w, http.StatusOK, view(e, now))
}

func owns(ctx context.Context, e *event.Event) bool {
	caller := identity.FromContext(ctx)
	return caller.Role == identity.Admin || !caller.IsAnonymous() && caller.UserID == e.OrganizerID
}
