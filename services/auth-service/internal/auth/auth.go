// Package auth implements Frontrow's accounts: registration, roles and log-in.
package auth

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// Errors of this package and of the interfaces it uses.
var (
	// ErrEmailTaken means that another account has the e-mail.
	ErrEmailTaken = errors.New("email taken")
	// ErrNotFound means that the account does not exist.
	ErrNotFound = errors.New("account not found")
	// ErrInvalidCredentials means that e-mail and password do not match. It
	// never reveals which of them is wrong.
	ErrInvalidCredentials = errors.New("invalid credentials")
	// ErrLastAdmin means that the account is the last admin and must keep the
	// role.
	ErrLastAdmin = errors.New("last admin")
	// ErrBusy means that too many passwords are being hashed: retry later.
	ErrBusy = errors.New("too many log-ins at once")
)

// TooManyError means that log-ins of an account or from an address are refused
// for RetryAfter.
type TooManyError struct{ RetryAfter time.Duration }

// Error gives the time to wait.
func (e *TooManyError) Error() string {
	return "too many attempts, retry after " + e.RetryAfter.String()
}

// Account is a registered person.
type Account struct {
	ID    uuid.UUID
	Email string
	Name  string
	Role  identity.Role
	// PasswordHash is argon2id in the PHC string format.
	PasswordHash string
	CreatedAt    time.Time
}

// IdempotencyKey identifies a registration that may be retried. Value is empty
// if the client sent none; RequestHash detects different requests that reuse a
// key.
type IdempotencyKey struct {
	Value       string
	RequestHash []byte
}

// Accounts stores accounts. If the store is unavailable, methods return its
// error.
type Accounts interface {
	// Add stores a new account. For a key seen before, it returns the account
	// stored then and replayed true. Errors: ErrEmailTaken.
	Add(ctx context.Context, a Account, key IdempotencyKey) (stored Account, replayed bool, err error)
	// ByEmail returns the account with a normalised e-mail, or ErrNotFound.
	ByEmail(ctx context.Context, email string) (Account, error)
	// ByID returns an account, or ErrNotFound.
	ByID(ctx context.Context, id uuid.UUID) (Account, error)
	// Search returns up to limit accounts, ordered by e-mail, whose e-mail
	// follows after (empty: from the first) and whose name or e-mail contains
	// part, ignoring case; an empty part matches all. It omits password hashes.
	Search(ctx context.Context, part, after string, limit int) ([]Account, error)
	// WhileUnchanged calls fn with the current account, and blocks changes to
	// it until fn has returned. Errors: ErrNotFound, fn's.
	WhileUnchanged(ctx context.Context, id uuid.UUID, fn func(Account) error) error
	// SetRole changes the role. It calls fn with the changed account before it
	// commits, and commits nothing if fn fails. Errors: ErrNotFound,
	// ErrLastAdmin, fn's.
	SetRole(ctx context.Context, id uuid.UUID, role identity.Role, fn func(Account) error) (Account, error)
}

// Attempts counts failed log-ins by account and by client address. It never
// fails: if its store is down, it counts in this process.
type Attempts interface {
	// Blocked returns how long log-ins of email from addr are refused, or 0 if
	// they are allowed.
	Blocked(ctx context.Context, email, addr string) time.Duration
	// Failed counts a failure.
	Failed(ctx context.Context, email, addr string)
	// Succeeded resets the failures of email, but not those of the address: an
	// attacker who tries many accounts could log in to their own in between.
	Succeeded(ctx context.Context, email string)
}

// Limits on failed log-ins within Window, which begins with the first failure.
const (
	MaxFailuresPerAccount = 10
	MaxFailuresPerAddress = 100
	Window                = 15 * time.Minute
)
