package httpapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// auditLog lists entries. A cursor is the position of the previous page's last
// entry.
func (h *handlers) auditLog(w http.ResponseWriter, r *http.Request) error {
	filter, limit, err := auditQuery(r)
	if err != nil {
		return err
	}
	found, err := h.svc.AuditLog.Read(r.Context(), filter, limit+1) // one more shows whether there is a next page
	if err != nil {
		return err
	}
	page := rest.AuditPage{}
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		if page.NextCursor, err = httpapi.NextCursor(auth.AuditPosition{At: last.At, ID: last.ID}); err != nil {
			return err
		}
	}
	page.Items = auditEntries(found)
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

func auditQuery(r *http.Request) (f auth.AuditFilter, limit int, err error) {
	query := r.URL.Query()
	var wrong []problem.Field
	if limit, err = httpapi.PageLimit(r); err != nil {
		wrong = append(wrong, problem.From(err).Fields...)
	}
	if query.Has("actor") {
		if f.Actor, err = uuid.Parse(query.Get("actor")); err != nil || f.Actor == uuid.Nil {
			wrong = append(wrong, problem.Field{Field: "actor", Code: "invalid", Message: "must be the id of an account"})
		}
	}
	if query.Has("action") {
		f.Action = rest.AuditAction(query.Get("action"))
		if rest.Check(rest.AuditEntry{ID: uuid.Max, Action: f.Action}) != nil {
			wrong = append(wrong, problem.Field{Field: "action", Code: "invalid", Message: "must be an action of the audit log"})
		}
	}
	for _, bound := range []struct {
		name string
		to   *time.Time
	}{{"from", &f.From}, {"to", &f.To}} {
		if query.Has(bound.name) {
			if *bound.to, err = time.Parse(time.RFC3339, query.Get(bound.name)); err != nil {
				wrong = append(wrong, problem.Field{Field: bound.name, Code: "invalid", Message: "must be an RFC 3339 time, such as 2027-05-01T00:00:00Z"})
			}
		}
	}
	if f.Before, err = httpapi.Cursor(r, auth.AuditPosition{}); err != nil {
		wrong = append(wrong, problem.From(err).Fields...)
	}
	if len(wrong) > 0 {
		return f, 0, problem.Invalid(wrong...)
	}
	return f, limit, nil
}

func auditEntries(entries []events.AuditEntry) []rest.AuditEntry {
	out := make([]rest.AuditEntry, len(entries))
	for i, e := range entries {
		out[i] = rest.AuditEntry{
			ID: e.ID, At: e.At, Action: rest.AuditAction(e.Action), ActorID: e.ActorID, ActorEmail: e.ActorEmail,
			Subject: e.Subject, Address: e.Address, UserAgent: e.UserAgent, Details: e.Details,
		}
	}
	return out
}
