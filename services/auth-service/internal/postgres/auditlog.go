package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// AuditLog implements auth.AuditLog.
type AuditLog struct{ Pool *pgxpool.Pool }

const auditColumns = `id, at, action, actor_id, actor_email, subject, address, user_agent, details`

// Append stores entries in one transaction.
func (l AuditLog) Append(ctx context.Context, entries []events.AuditEntry) error {
	b := &pgx.Batch{}
	for _, e := range entries {
		var actor *uuid.UUID
		if e.ActorID != uuid.Nil {
			actor = &e.ActorID
		}
		details := e.Details
		if details == nil {
			details = map[string]string{}
		}
		encoded, err := json.Marshal(details)
		if err != nil {
			return fmt.Errorf("append audit entries: %w", err)
		}
		b.Queue(`INSERT INTO audit_log (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
			e.ID, e.At, e.Action, actor, e.ActorEmail, e.Subject, e.Address, e.UserAgent, encoded)
	}
	return unavailable("append audit entries", l.Pool.SendBatch(ctx, b).Close())
}

// Read returns up to limit entries, newest first.
func (l AuditLog) Read(ctx context.Context, filter auth.AuditFilter, limit int) ([]events.AuditEntry, error) {
	where, args := []string{"true"}, []any{}
	and := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if filter.Actor != uuid.Nil {
		and("actor_id = ?", filter.Actor)
	}
	if filter.Action != "" {
		and("action = ?", filter.Action)
	}
	if !filter.From.IsZero() {
		and("at >= ?", filter.From)
	}
	if !filter.To.IsZero() {
		and("at < ?", filter.To)
	}
	if filter.Before.ID != uuid.Nil {
		and("(at, id) < (?, ?)", filter.Before.At, filter.Before.ID)
	}
	args = append(args, limit)
	rows, err := l.Pool.Query(ctx, fmt.Sprintf(`SELECT `+auditColumns+` FROM audit_log WHERE %s ORDER BY at DESC, id DESC LIMIT $%d`,
		strings.Join(where, " AND "), len(args)), args...)
	if err != nil {
		return nil, unavailable("read audit log", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e events.AuditEntry, err error) {
		var actor *uuid.UUID
		err = row.Scan(&e.ID, &e.At, &e.Action, &actor, &e.ActorEmail, &e.Subject, &e.Address, &e.UserAgent, &e.Details)
		if actor != nil {
			e.ActorID = *actor
		}
		e.At = e.At.UTC()
		return e, err
	})
	return entries, unavailable("read audit log", err)
}
