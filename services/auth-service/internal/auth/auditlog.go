package auth

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
)

// AuditLog is the append-only record of who did what.
type AuditLog interface {
	// Append stores entries. Those whose ids it has already are ignored.
	Append(ctx context.Context, entries []events.AuditEntry) error
	// Read returns up to limit entries, newest first.
	Read(ctx context.Context, filter AuditFilter, limit int) ([]events.AuditEntry, error)
}

// AuditFilter selects entries. Its zero value selects all.
type AuditFilter struct {
	Actor  uuid.UUID
	Action rest.AuditAction
	// From is inclusive and To is exclusive.
	From, To time.Time
	// Before selects the entries that follow this one, newest first.
	Before AuditPosition
}

// AuditPosition is an entry's place in the log.
type AuditPosition struct {
	At time.Time `json:"at"`
	ID uuid.UUID `json:"id"`
}
