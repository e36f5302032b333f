package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// UseToken locks the account before it deletes the token, as Change does before
// it replaces tokens.
func (s Accounts) UseToken(ctx context.Context, hash []byte, purposes []auth.Purpose, now time.Time,
	fn func(a *auth.Account, used auth.Token, others []auth.Token) (auth.Effects, error),
) (auth.Account, error) {
	var a auth.Account
	err := postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		var id uuid.UUID
		err := tx.QueryRow(ctx, `SELECT account_id FROM mail_tokens WHERE hash = $1`, hash).Scan(&id)
		if postgres.IsNoRows(err) {
			return auth.ErrLinkInvalid
		}
		if err != nil {
			return fmt.Errorf("find token: %w", err)
		}
		a, err = change(ctx, tx, id, func(a *auth.Account) (auth.Effects, error) {
			used, err := end(ctx, tx, hash)
			if err != nil {
				return auth.Effects{}, err
			}
			if !slices.Contains(purposes, used.Purpose) || !now.Before(used.ExpiresAt) {
				return auth.Effects{}, auth.ErrLinkInvalid
			}
			others, err := valid(ctx, tx, id, now)
			if err != nil {
				return auth.Effects{}, err
			}
			return fn(a, used, others)
		})
		return err
	})
	if errors.Is(err, auth.ErrNotFound) { // deleted meanwhile
		err = auth.ErrLinkInvalid
	}
	return a, unavailable("use token", err)
}

const tokenColumns = `hash, purpose, new_email, expires_at`

func scanToken(row pgx.CollectableRow) (t auth.Token, err error) {
	err = row.Scan(&t.Hash, &t.Purpose, &t.NewEmail, &t.ExpiresAt)
	return t, err
}

// end deletes a token and returns it. Error: auth.ErrLinkInvalid if somebody
// else has used it meanwhile.
func end(ctx context.Context, tx pgx.Tx, hash []byte) (auth.Token, error) {
	rows, err := tx.Query(ctx, `DELETE FROM mail_tokens WHERE hash = $1 RETURNING `+tokenColumns, hash)
	if err != nil {
		return auth.Token{}, fmt.Errorf("end token: %w", err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanToken)
	if postgres.IsNoRows(err) {
		return t, auth.ErrLinkInvalid
	}
	if err != nil {
		return t, fmt.Errorf("end token: %w", err)
	}
	return t, nil
}

// valid returns the tokens of an account.
func valid(ctx context.Context, tx pgx.Tx, id uuid.UUID, now time.Time) ([]auth.Token, error) {
	rows, err := tx.Query(ctx, `SELECT `+tokenColumns+` FROM mail_tokens WHERE account_id = $1 AND expires_at > $2`, id, now)
	if err != nil {
		return nil, fmt.Errorf("tokens of account: %w", err)
	}
	tokens, err := pgx.CollectRows(rows, scanToken)
	if err != nil {
		return nil, fmt.Errorf("tokens of account: %w", err)
	}
	return tokens, nil
}

const purgeInterval = 10 * time.Minute

// PurgeTokens deletes expired tokens every ten minutes until ctx ends. Any
// number of replicas may run it at once.
func PurgeTokens(ctx context.Context, pool *pgxpool.Pool) error {
	for {
		_, err := pool.Exec(ctx, `DELETE FROM mail_tokens WHERE expires_at < now()`)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "purge mail tokens failed", "error", err)
		}
		if !clock.Sleep(ctx, purgeInterval) {
			return nil
		}
	}
}
