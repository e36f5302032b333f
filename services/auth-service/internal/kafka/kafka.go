// Package kafka publishes auth-service's outbox, and stores the audit entries of
// all services.
package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// Topics are the topics that auth-service creates: its own, and the dead-letter
// topic of the one that it reads.
var Topics = []string{events.TopicAccountMail, events.TopicAudit, kafka.DLQ(events.TopicAudit)}

// Handlers returns the handler that appends audit entries, one batch per
// transaction. It needs no inbox: the log ignores entries that it has.
func Handlers(log auth.AuditLog) map[string]kafka.Handler {
	return map[string]kafka.Handler{
		events.TopicAudit: func(ctx context.Context, batch []kafka.Message) error {
			errs := make([]error, len(batch))
			var entries []events.AuditEntry
			for i, m := range batch {
				e, err := decode(m)
				if err != nil {
					errs[i] = kafka.Poison(err)
					continue
				}
				entries = append(entries, e)
			}
			if len(entries) > 0 {
				if err := log.Append(ctx, entries); err != nil {
					return err
				}
			}
			if len(entries) < len(batch) {
				return &kafka.BatchError{Errs: errs}
			}
			return nil
		},
	}
}

func decode(m kafka.Message) (e events.AuditEntry, err error) {
	if m.Type != events.TypeAuditEntry {
		return e, fmt.Errorf("unexpected type %q", m.Type)
	}
	if err := json.Unmarshal(m.Data, &e); err != nil {
		return e, fmt.Errorf("decode data: %w", err)
	}
	if e.ID == uuid.Nil || e.At.IsZero() || e.Action == "" {
		return e, errors.New("missing id, at or action")
	}
	texts := []string{e.Action, e.ActorEmail, e.Subject, e.Address, e.UserAgent}
	for name, value := range e.Details {
		texts = append(texts, name, value)
	}
	for _, text := range texts {
		if strings.ContainsRune(text, 0) {
			return e, errors.New("U+0000, which Postgres can't store")
		}
	}
	return e, nil
}
