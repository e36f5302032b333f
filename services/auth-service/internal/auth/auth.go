// Package auth implements Frontrow's accounts: registration, mailed links, roles,
// log-in and second factors.
package auth

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// Errors of this package and of the interfaces it uses.
var (
	// ErrEmailTaken means that another account has the e-mail.
	ErrEmailTaken = errors.New("email taken")
	// ErrNotFound means that the account does not exist or is deleted.
	ErrNotFound = errors.New("account not found")
	// ErrInvalidCredentials means that e-mail, password and code do not match.
	// It never reveals which of them is wrong.
	ErrInvalidCredentials = errors.New("invalid credentials")
	// ErrWrongPassword means that the password or code that a logged-in user
	// entered is wrong.
	ErrWrongPassword = errors.New("wrong password")
	// ErrLastAdmin means that the account is the last admin and must keep the
	// role.
	ErrLastAdmin = errors.New("last admin")
	// ErrShortPassword means that the account's password is too short for an
	// admin.
	ErrShortPassword = errors.New("password too short for an admin")
	// ErrLinkInvalid means that a mailed token is unknown, used or expired.
	ErrLinkInvalid = errors.New("link invalid")
	// ErrBusy means that too many passwords are being hashed: retry later.
	ErrBusy = errors.New("too many log-ins at once")
)

// TooManyError means that a limit refuses the request for RetryAfter.
type TooManyError struct{ RetryAfter time.Duration }

// Error gives the time to wait.
func (e *TooManyError) Error() string {
	return "too many attempts, retry after " + e.RetryAfter.String()
}

// Account is a registered person.
type Account struct {
	ID uuid.UUID
	// Email is normalised, and empty if the account is deleted.
	Email    string
	Name     string
	Role     identity.Role
	Language rest.Language
	// PasswordHash is argon2id in the PHC string format.
	PasswordHash string
	// LongPassword means that the password is long enough for an admin.
	LongPassword bool
	// VerifiedAt is when the e-mail was verified, or zero.
	VerifiedAt time.Time
	CreatedAt  time.Time
	// DeletedAt is zero unless the account is deleted.
	DeletedAt time.Time
	SecondFactor
}

// Effects are what a change writes besides the account, in the same
// transaction.
type Effects struct {
	// Tokens replace the account's tokens with the same purposes.
	Tokens []Token
	// EndTokens ends all other tokens of the account.
	EndTokens bool
	Mails     []events.AccountMail
	Audit     []events.AuditEntry
}

// Change changes a locked account. If it fails, nothing is stored.
type Change func(*Account) (Effects, error)

// Accounts stores accounts. If the store is unavailable, methods return its
// error.
type Accounts interface {
	// Add stores a new account and its effects. Errors: ErrEmailTaken.
	Add(ctx context.Context, a Account, effects Effects) error
	// ByEmail returns the account with a normalised e-mail, or ErrNotFound.
	ByEmail(ctx context.Context, email string) (Account, error)
	// ByID returns an account, or ErrNotFound.
	ByID(ctx context.Context, id uuid.UUID) (Account, error)
	// Search returns up to limit accounts, ordered by e-mail, whose e-mail
	// follows after (empty: from the first) and whose name or e-mail contains
	// part, ignoring case; an empty part matches all. It omits secrets.
	Search(ctx context.Context, part, after string, limit int) ([]Account, error)
	// Change calls fn with the current account, which nobody else can change
	// meanwhile, and stores what fn has changed. Errors: ErrNotFound,
	// ErrEmailTaken, ErrLastAdmin, fn's.
	Change(ctx context.Context, id uuid.UUID, fn Change) (Account, error)
	// UseToken calls fn, as Change does, with the account of the token that has
	// this hash, and ends the token. others are the account's other tokens that
	// are valid at now. Errors: ErrLinkInvalid if no token with one of the
	// purposes is valid at now, and those of Change.
	UseToken(ctx context.Context, hash []byte, purposes []Purpose, now time.Time,
		fn func(a *Account, used Token, others []Token) (Effects, error)) (Account, error)
	// Record writes effects that concern no account's state.
	Record(ctx context.Context, effects Effects) error
}
