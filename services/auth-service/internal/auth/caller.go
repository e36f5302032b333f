package auth

import (
	"context"
	"log/slog"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
)

// Caller is who sends a request, and from where. UserID is uuid.Nil, and Email
// and Session are empty, if nobody is logged in.
type Caller struct {
	UserID  uuid.UUID
	Email   string
	Session string
	Client
}

// Maximum lengths of what an audit entry quotes, in characters.
const (
	maxEmail     = 254
	maxUserAgent = 256
)

// audit returns an entry that says that the caller did something to subject.
// details are name, value pairs.
func (s *Service) audit(c Caller, action rest.AuditAction, subject string, details ...string) events.AuditEntry {
	e := events.AuditEntry{
		ID: uuid.Must(uuid.NewV7()), At: s.Now().UTC(), Action: string(action),
		ActorID: c.UserID, ActorEmail: printable(c.Email, maxEmail), Subject: subject,
		Address: printable(c.Address, maxUserAgent), UserAgent: printable(c.UserAgent, maxUserAgent),
	}
	for i := 0; i < len(details); i += 2 {
		if e.Details == nil {
			e.Details = map[string]string{}
		}
		e.Details[details[i]] = details[i+1]
	}
	return e
}

// record writes an entry of an action that changes no account. The action has
// happened: without the entry it stays so.
func (s *Service) record(ctx context.Context, e events.AuditEntry) {
	if err := s.Accounts.Record(context.WithoutCancel(ctx), Effects{Audit: []events.AuditEntry{e}}); err != nil {
		slog.ErrorContext(ctx, "write audit entry failed", "action", e.Action, "error", err)
	}
}

// printable returns the first characters of a text that a client sent, without
// control characters, which Postgres can't store.
func printable(text string, maximum int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	for i := range text {
		if maximum == 0 {
			return text[:i]
		}
		maximum--
	}
	return text
}
