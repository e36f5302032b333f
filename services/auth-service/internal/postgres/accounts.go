// Package postgres stores accounts in Postgres.
package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// Accounts implements auth.Accounts.
type Accounts struct{ Pool *pgxpool.Pool }

const columns = `id, email, name, role, password_hash, created_at`

func scan(row pgx.Row) (auth.Account, error) {
	var a auth.Account
	err := row.Scan(&a.ID, &a.Email, &a.Name, &a.Role, &a.PasswordHash, &a.CreatedAt)
	a.CreatedAt = a.CreatedAt.UTC()
	if postgres.IsNoRows(err) {
		return a, auth.ErrNotFound
	}
	return a, unavailable("account", err)
}

// unavailable maps a transient error to a problem "unavailable".
func unavailable(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case postgres.IsUnavailable(err):
		return problem.Unavailable(fmt.Errorf("%s: %w", op, err))
	default:
		return fmt.Errorf("%s: %w", op, err)
	}
}

// Add stores a new account. The response stored with an idempotency key is the
// account without its password hash.
func (s Accounts) Add(ctx context.Context, a auth.Account, key auth.IdempotencyKey) (auth.Account, bool, error) {
	once := postgres.Key{Scope: "POST /auth/register", Key: key.Value, RequestHash: key.RequestHash}
	_, body, replayed, err := postgres.Once(ctx, s.Pool, once, func(tx pgx.Tx) (int, []byte, error) {
		_, err := tx.Exec(ctx, `INSERT INTO accounts (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
			a.ID, a.Email, a.Name, a.Role, a.PasswordHash, a.CreatedAt)
		if postgres.IsUniqueViolation(err, "accounts_email") {
			return 0, nil, auth.ErrEmailTaken
		}
		if err != nil {
			return 0, nil, fmt.Errorf("insert account: %w", err)
		}
		answer := a
		answer.PasswordHash = ""
		body, err := json.Marshal(answer)
		return http.StatusCreated, body, err
	})
	if err != nil {
		return auth.Account{}, false, unavailable("add account", err)
	}
	var stored auth.Account
	if err := json.Unmarshal(body, &stored); err != nil {
		return auth.Account{}, false, fmt.Errorf("stored account: %w", err)
	}
	return stored, replayed, nil
}

// ByEmail returns the account with a normalised e-mail.
func (s Accounts) ByEmail(ctx context.Context, email string) (auth.Account, error) {
	return scan(s.Pool.QueryRow(ctx, `SELECT `+columns+` FROM accounts WHERE email = $1`, email))
}

// ByID returns an account.
func (s Accounts) ByID(ctx context.Context, id uuid.UUID) (auth.Account, error) {
	return scan(s.Pool.QueryRow(ctx, `SELECT `+columns+` FROM accounts WHERE id = $1`, id))
}

// likeEscaper escapes a text for LIKE.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Search scans every account: only admins use it, and rarely.
func (s Accounts) Search(ctx context.Context, part, after string, limit int) ([]auth.Account, error) {
	rows, err := s.Pool.Query(ctx, `SELECT id, email, name, role, created_at FROM accounts
		WHERE email > $1 AND (email ILIKE $2 OR name ILIKE $2) ORDER BY email LIMIT $3`,
		after, "%"+likeEscaper.Replace(part)+"%", limit)
	if err != nil {
		return nil, unavailable("search accounts", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a auth.Account, err error) {
		err = row.Scan(&a.ID, &a.Email, &a.Name, &a.Role, &a.CreatedAt)
		a.CreatedAt = a.CreatedAt.UTC()
		return a, err
	})
	return found, unavailable("search accounts", err)
}

// WhileUnchanged holds a share lock on the account's row while fn runs.
func (s Accounts) WhileUnchanged(ctx context.Context, id uuid.UUID, fn func(auth.Account) error) error {
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		a, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM accounts WHERE id = $1 FOR SHARE`, id))
		if err != nil {
			return err
		}
		return fn(a)
	})
	return unavailable("hold account", err)
}

// SetRole changes the role in a transaction that commits after fn.
func (s Accounts) SetRole(ctx context.Context, id uuid.UUID, role identity.Role, fn func(auth.Account) error) (auth.Account, error) {
	var a auth.Account
	err := postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		if role != identity.Admin {
			if err := keepAnAdmin(ctx, tx, id); err != nil {
				return err
			}
		}
		var err error
		a, err = scan(tx.QueryRow(ctx, `UPDATE accounts SET role = $2 WHERE id = $1 RETURNING `+columns, id, role))
		if err != nil {
			return err
		}
		return fn(a)
	})
	return a, unavailable("set role", err)
}

// keepAnAdmin refuses to demote the only admin. It locks all admins in a fixed
// order, so that two who demote each other concurrently do not both succeed.
func keepAnAdmin(ctx context.Context, tx pgx.Tx, demoted uuid.UUID) error {
	rows, err := tx.Query(ctx, `SELECT id FROM accounts WHERE role = 'admin' ORDER BY id FOR UPDATE`)
	if err != nil {
		return fmt.Errorf("lock admins: %w", err)
	}
	admins, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("lock admins: %w", err)
	}
	if len(admins) == 1 && admins[0] == demoted {
		return auth.ErrLastAdmin
	}
	return nil
}
