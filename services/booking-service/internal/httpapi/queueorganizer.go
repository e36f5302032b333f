package httpapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/audit"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

func (a *api) queueReport(w http.ResponseWriter, r *http.Request) error {
	id, err := a.organized(r)
	if err != nil {
		return err
	}
	return a.writeReport(w, r, id)
}

func (a *api) writeReport(w http.ResponseWriter, r *http.Request, event uuid.UUID) error {
	var report rest.QueueReport
	err := a.engine.Read(r.Context(), eventlog.IDOf(event), func(s *booking.State) { report = s.QueueReport(a.now()) })
	if err != nil {
		return explain(err)
	}
	report.HoldTargetSeconds = a.engine.HoldTarget.Seconds()
	return httpapi.WriteJSON(w, http.StatusOK, report)
}

// controlQueue pauses, slows down or stops the queue. The audit entry is in the
// log's operation, so that it can't be lost.
func (a *api) controlQueue(w http.ResponseWriter, r *http.Request) error {
	id, err := a.organized(r)
	if err != nil {
		return err
	}
	body, err := httpapi.Decode[rest.QueueControl](w, r)
	if err != nil {
		return err
	}
	entry := audit.FromRequest(r, rest.AuditActionQueueControlled, id.String())
	entry.Details = map[string]string{"state": string(body.State)}
	if body.MaxPerMinute > 0 {
		entry.Details["max_per_minute"] = strconv.Itoa(body.MaxPerMinute)
	}
	entryJSON, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	_, err = a.decideQueue(r.Context(), id, &logpb.Command{Kind: &logpb.Command_Control{Control: &logpb.Control{
		Control: &logpb.QueueControl{State: string(body.State), MaxPerMinute: uint32(body.MaxPerMinute)}, Audit: entryJSON,
	}}})
	if err != nil {
		return err
	}
	return a.writeReport(w, r, id)
}

// inviteCodes creates invite codes. Under an Idempotency-Key they are derived
// from it: the log has only their hashes.
func (a *api) inviteCodes(w http.ResponseWriter, r *http.Request) error {
	id, err := a.organized(r)
	if err != nil {
		return err
	}
	key, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return err
	}
	raw, err := httpapi.ReadBody(w, r, httpapi.DefaultBodyLimit)
	if err != nil {
		return err
	}
	body, err := httpapi.Parse[rest.NewInviteCodes](raw)
	if err != nil {
		return err
	}
	user := identity.FromContext(r.Context()).UserID
	out := rest.InviteCodes{Codes: a.invites.Codes(id, user, key, body.Count), Uses: cmp.Or(body.Uses, 1)}
	entry := audit.FromRequest(r, rest.AuditActionInviteCodesCreated, id.String())
	entry.Details = map[string]string{"count": strconv.Itoa(body.Count), "uses": strconv.Itoa(out.Uses)}
	entryJSON, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	invite := &logpb.Invite{Uses: uint32(out.Uses), Audit: entryJSON}
	if key != "" {
		invite.Batch, invite.Request = newID(user, key), hashOf(strconv.Itoa(body.Count)+" "+strconv.Itoa(out.Uses))
	}
	for _, code := range out.Codes {
		invite.Codes = append(invite.Codes, booking.InviteHash(code))
	}
	answer, err := a.decideQueue(r.Context(), id, &logpb.Command{Kind: &logpb.Command_Invite{Invite: invite}})
	if err != nil {
		return err
	}
	if answer.GetReplayed() {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	return httpapi.WriteJSON(w, http.StatusCreated, out)
}
