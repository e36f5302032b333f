// Package audit makes the entries of the audit log. They travel over the topic
// audit to auth-service, which stores them.
package audit

import (
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// Entry returns an entry about something the system did at a time. Subject is
// the id of what was changed.
func Entry(action rest.AuditAction, subject string, at time.Time) events.AuditEntry {
	return events.AuditEntry{
		ID: uuid.Must(uuid.NewV7()), At: at.UTC().Truncate(time.Millisecond), Action: string(action), Subject: subject,
	}
}

// maxUserAgent limits what a client can put into the log, in bytes.
const maxUserAgent = 300

// FromRequest returns an entry about what the caller of a request does.
func FromRequest(r *http.Request, action rest.AuditAction, subject string) events.AuditEntry {
	e := Entry(action, subject, time.Now())
	who := identity.FromContext(r.Context())
	e.ActorID, e.ActorEmail = who.UserID, who.Email
	e.Address, e.UserAgent = ClientAddress(r), r.UserAgent()
	if len(e.UserAgent) > maxUserAgent {
		e.UserAgent = e.UserAgent[:maxUserAgent]
	}
	return e
}

// ClientAddress returns the client's IP address as the gateway saw it. The
// gateway sets the header and strips it from incoming requests.
func ClientAddress(r *http.Request) string {
	if a := r.Header.Get("X-Forwarded-For"); a != "" {
		return a
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}
