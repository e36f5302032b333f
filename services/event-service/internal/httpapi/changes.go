package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/audit"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/postgres"
)

// update locks the event in the path, checks that the caller may change it and
// that If-Match matches, and runs change. It returns the event as changed.
func (a *API) update(r *http.Request, matchRequired bool, change func(tx postgres.Tx, e *event.Event) error) (*event.Event, error) {
	id, err := httpapi.PathUUID(r, "id", "The event")
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	var e *event.Event
	err = a.store.Update(ctx, func(tx postgres.Tx) error {
		if e, err = tx.EventForUpdate(ctx, id); err != nil {
			return err
		}
		if !owns(ctx, e) {
			if e.Status == event.Draft {
				return problem.NotFound("The event")
			}
			return problem.Forbidden("Only the organizer can change this event.")
		}
		if err := checkMatch(r, e, matchRequired); err != nil {
			return err
		}
		return change(tx, e)
	})
	return e, err
}

func (a *API) changeEvent(w http.ResponseWriter, r *http.Request) error {
	patch, err := httpapi.ReadBody(w, r, httpapi.DefaultBodyLimit)
	if err != nil {
		return err
	}
	if _, err := httpapi.Parse[rest.EventPatch](patch); err != nil {
		return err
	}
	ctx := r.Context()
	e, err := a.update(r, true, func(tx postgres.Tx, e *event.Event) error {
		definition, err := merge(e.Definition(), patch)
		if err != nil {
			return err
		}
		venue, err := tx.Venue(ctx, definition.VenueID)
		if err != nil {
			return err
		}
		if err := e.Change(definition, venue, a.clock.Now()); err != nil {
			return err
		}
		return tx.UpdateEvent(ctx, e)
	})
	if err != nil {
		return err
	}
	return write(w, e, a.clock.Now())
}

// merge applies a JSON merge patch (RFC 7396). null removes a field, which then
// gets its default.
func merge(d rest.NewEvent, patch []byte) (merged rest.NewEvent, err error) {
	whole, err := json.Marshal(d)
	if err != nil {
		return merged, err
	}
	var fields, changes map[string]any
	if err := errors.Join(json.Unmarshal(whole, &fields), json.Unmarshal(patch, &changes)); err != nil {
		return merged, err
	}
	mergeFields(fields, changes)
	if whole, err = json.Marshal(fields); err != nil {
		return merged, err
	}
	err = json.Unmarshal(whole, &merged)
	return merged, err
}

func mergeFields(fields, changes map[string]any) {
	for name, value := range changes {
		inner, isObject := value.(map[string]any)
		old, wasObject := fields[name].(map[string]any)
		switch {
		case value == nil:
			delete(fields, name)
		case isObject && wasObject:
			mergeFields(old, inner)
		default:
			fields[name] = value
		}
	}
}

func (a *API) publishEvent(w http.ResponseWriter, r *http.Request) error {
	e, err := a.update(r, false, func(tx postgres.Tx, e *event.Event) error {
		if err := e.Publish(a.clock.Now()); err != nil {
			return err
		}
		return tx.UpdateEvent(r.Context(), e)
	})
	if err != nil {
		return err
	}
	return write(w, e, a.clock.Now())
}

func (a *API) cancelEvent(w http.ResponseWriter, r *http.Request) error {
	cancellation, err := httpapi.DecodeOptional[rest.Cancellation](w, r)
	if err != nil {
		return err
	}
	e, err := a.update(r, false, func(tx postgres.Tx, e *event.Event) error {
		changed, err := e.Cancel(cancellation.Reason, a.clock.Now())
		if err != nil || !changed {
			return err
		}
		entry := audit.FromRequest(r, rest.AuditActionEventCancelled, e.ID.String())
		entry.Details = map[string]string{"name": e.Name, "reason": cancellation.Reason}
		if err := tx.Audit(r.Context(), entry); err != nil {
			return err
		}
		return tx.UpdateEvent(r.Context(), e)
	})
	if err != nil {
		return err
	}
	return write(w, e, a.clock.Now())
}

func (a *API) deleteEvent(w http.ResponseWriter, r *http.Request) error {
	_, err := a.update(r, false, func(tx postgres.Tx, e *event.Event) error {
		if err := e.CheckDeletable(); err != nil {
			return err
		}
		return tx.DeleteEvent(r.Context(), e.ID)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
