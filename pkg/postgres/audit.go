package postgres

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// AuditMessage returns the outbox message of an entry of the audit log. Entries
// of one actor stay in order.
func AuditMessage(e events.AuditEntry) (Message, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return Message{}, fmt.Errorf("encode audit entry: %w", err)
	}
	key := cmp.Or(e.Subject, e.ActorEmail)
	if e.ActorID != uuid.Nil {
		key = e.ActorID.String()
	}
	return Message{Topic: events.TopicAudit, Key: key, Type: events.TypeAuditEntry, Data: data}, nil
}
