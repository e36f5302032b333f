// Package postgres stores accounts and the audit log in Postgres.
package postgres

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

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

const columns = `id, email, name, role, password_hash, created_at, language, email_verified_at, long_password,
	totp_secret, totp_confirmed, totp_last_step, recovery_codes, deleted_at`

// values returns an account's columns, in their order.
func values(a auth.Account) []any {
	codes := a.RecoveryCodes
	if codes == nil {
		codes = [][]byte{}
	}
	var email *string
	if a.Email != "" {
		email = &a.Email
	}
	return []any{
		a.ID, email, a.Name, a.Role, a.PasswordHash, a.CreatedAt, a.Language, unlessZero(a.VerifiedAt), a.LongPassword,
		a.TOTPSecret, a.TOTPConfirmed, a.TOTPLastStep, codes, unlessZero(a.DeletedAt),
	}
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func scan(row pgx.Row) (auth.Account, error) {
	var a auth.Account
	var email *string
	var verified, deleted *time.Time
	err := row.Scan(&a.ID, &email, &a.Name, &a.Role, &a.PasswordHash, &a.CreatedAt, &a.Language, &verified, &a.LongPassword,
		&a.TOTPSecret, &a.TOTPConfirmed, &a.TOTPLastStep, &a.RecoveryCodes, &deleted)
	a.CreatedAt = a.CreatedAt.UTC()
	if email != nil {
		a.Email = *email
	}
	if verified != nil {
		a.VerifiedAt = verified.UTC()
	}
	if deleted != nil {
		a.DeletedAt = deleted.UTC()
	}
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

// Add stores a new account.
func (s Accounts) Add(ctx context.Context, a auth.Account, effects auth.Effects) error {
	err := postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO accounts (`+columns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (email) DO NOTHING`, values(a)...)
		if err != nil {
			return fmt.Errorf("insert account: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return auth.ErrEmailTaken
		}
		return write(ctx, tx, a.ID, effects)
	})
	return unavailable("add account", err)
}

// ByEmail returns the account with a normalised e-mail.
func (s Accounts) ByEmail(ctx context.Context, email string) (auth.Account, error) {
	if strings.ContainsRune(email, 0) { // Postgres stores no such text
		return auth.Account{}, auth.ErrNotFound
	}
	return scan(s.Pool.QueryRow(ctx, `SELECT `+columns+` FROM accounts WHERE email = $1`, strings.ToValidUTF8(email, "\uFFFD")))
}

// ByID returns an account.
func (s Accounts) ByID(ctx context.Context, id uuid.UUID) (auth.Account, error) {
	return scan(s.Pool.QueryRow(ctx, `SELECT `+columns+` FROM accounts WHERE id = $1 AND deleted_at IS NULL`, id))
}

// likeEscaper escapes a text for LIKE.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Search scans every account: only admins use it, and rarely. Deleted accounts
// have no e-mail, so none of them is found.
func (s Accounts) Search(ctx context.Context, part, after string, limit int) ([]auth.Account, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+columns+` FROM accounts
		WHERE email > $1 AND (email ILIKE $2 OR name ILIKE $2) ORDER BY email LIMIT $3`,
		after, "%"+likeEscaper.Replace(part)+"%", limit)
	if err != nil {
		return nil, unavailable("search accounts", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.Account, error) {
		a, err := scan(row)
		a.PasswordHash, a.TOTPSecret, a.RecoveryCodes = "", nil, nil
		return a, err
	})
	return found, unavailable("search accounts", err)
}

// Change locks the account's row while fn runs.
func (s Accounts) Change(ctx context.Context, id uuid.UUID, fn auth.Change) (auth.Account, error) {
	var a auth.Account
	err := postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) (err error) {
		a, err = change(ctx, tx, id, fn)
		return err
	})
	return a, unavailable("change account", err)
}

// Record writes effects that concern no account's state.
func (s Accounts) Record(ctx context.Context, effects auth.Effects) error {
	err := postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error { return write(ctx, tx, uuid.Nil, effects) })
	return unavailable("record", err)
}

func change(ctx context.Context, tx pgx.Tx, id uuid.UUID, fn auth.Change) (auth.Account, error) {
	a, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM accounts WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`, id))
	if err != nil {
		return a, err
	}
	before := a
	effects, err := fn(&a)
	if err != nil {
		return a, err
	}
	if reflect.DeepEqual(before, a) { // as after most log-ins
		return a, write(ctx, tx, id, effects)
	}
	if before.Role == identity.Admin && a.Role != identity.Admin {
		if err := keepAnAdmin(ctx, tx, id); err != nil {
			return a, err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE accounts SET (`+columns+`) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		WHERE id = $1`, values(a)...)
	if postgres.IsUniqueViolation(err, "accounts_email") {
		return a, auth.ErrEmailTaken
	}
	if err != nil {
		return a, fmt.Errorf("update account: %w", err)
	}
	return a, write(ctx, tx, id, effects)
}

// adminsLock is the advisory lock of those who make an admin no admin.
const adminsLock int64 = 0x61646d696e73 // "admins"

// keepAnAdmin refuses to demote or delete the only admin. One transaction at a
// time gets past the lock, so that two admins who demote each other do not both
// succeed.
func keepAnAdmin(ctx context.Context, tx pgx.Tx, demoted uuid.UUID) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, adminsLock); err != nil {
		return fmt.Errorf("lock admins: %w", err)
	}
	var others bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM accounts WHERE role = 'admin' AND id <> $1)`, demoted).Scan(&others)
	if err != nil {
		return fmt.Errorf("count admins: %w", err)
	}
	if !others {
		return auth.ErrLastAdmin
	}
	return nil
}
