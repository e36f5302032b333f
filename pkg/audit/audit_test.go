package audit

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

func TestEntriesMatchTheSchema(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	r.Header.Set("X-Forwarded-For", "192.0.2.7")
	r.Header.Set("User-Agent", strings.Repeat("x", 2*maxUserAgent))
	who := identity.Identity{UserID: uuid.New(), Email: "ada@example.org", Role: identity.Organizer}
	r = r.WithContext(identity.NewContext(r.Context(), who))
	byUser := FromRequest(r, rest.AuditActionEventCancelled, uuid.NewString())
	if byUser.ActorID != who.UserID || byUser.ActorEmail != who.Email || byUser.Address != "192.0.2.7" || len(byUser.UserAgent) != maxUserAgent {
		t.Errorf("entry of a request: %+v", byUser)
	}
	for name, e := range map[string]events.AuditEntry{
		"by a user":     byUser,
		"by the system": Entry(rest.AuditActionPaymentRefunded, "a payment", time.Now()),
		"by a stranger": FromRequest(httptest.NewRequest(http.MethodPost, "/", http.NoBody), rest.AuditActionLoginFailed, ""),
	} {
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := events.Validate(events.TypeAuditEntry, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
