package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// write stores the effects of a change of account id. Mails and audit entries go
// through the outbox.
func write(ctx context.Context, tx pgx.Tx, id uuid.UUID, effects auth.Effects) error {
	if effects.EndTokens {
		if _, err := tx.Exec(ctx, `DELETE FROM mail_tokens WHERE account_id = $1`, id); err != nil {
			return fmt.Errorf("end tokens: %w", err)
		}
	}
	for _, t := range effects.Tokens {
		if _, err := tx.Exec(ctx, `DELETE FROM mail_tokens WHERE account_id = $1 AND purpose = $2`, id, t.Purpose); err != nil {
			return fmt.Errorf("end former token: %w", err)
		}
		_, err := tx.Exec(ctx, `INSERT INTO mail_tokens (hash, account_id, purpose, new_email, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			t.Hash, id, t.Purpose, t.NewEmail, t.ExpiresAt)
		if err != nil {
			return fmt.Errorf("insert token: %w", err)
		}
	}
	var messages []postgres.Message
	for _, m := range effects.Mails {
		data, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode mail: %w", err)
		}
		messages = append(messages, postgres.Message{
			Topic: events.TopicAccountMail, Key: m.Account.UserID.String(), Type: events.TypeAccountMail, Data: data,
		})
	}
	for _, e := range effects.Audit {
		m, err := postgres.AuditMessage(e)
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	return postgres.Enqueue(ctx, tx, messages...)
}
