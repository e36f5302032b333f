// Package auth is Frontrow's accounts: who registered, with which role, and
// the log-in.
package auth

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// Errors of this package and of the interfaces it asks for.
var (
	// ErrEmailTaken says that another account has the e-mail.
	ErrEmailTaken = errors.New("email taken")
	// ErrNotFound says that there is no such account.
	ErrNotFound = errors.New("account not found")
	// ErrInvalidCredentials says that e-mail and password do not belong together;
	// it never says which of them is wrong.
	ErrInvalidCredentials = errors.New("invalid credentials")
	// ErrLastAdmin says that the account is the last admin and must stay one.
	ErrLastAdmin = errors.New("last admin")
	// ErrBusy says that too many passwords are being hashed: come back later.
	ErrBusy = errors.New("too many log-ins at once")
)

// TooManyError says that log-ins of an account or from an address are refused
// until some time has passed.
type TooManyError struct{ RetryAfter time.Duration }

// Error says how long to wait.
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

// IdempotencyKey names a registration that may be sent again. Value is empty
// when the client sent none; RequestHash tells apart requests that reuse a key.
type IdempotencyKey struct {
	Value       string
	RequestHash []byte
}

// Accounts stores accounts. Methods fail with what the store says when it is
// unavailable.
type Accounts interface {
	// Add stores a new account. A key seen before returns the account that was
	// stored then and replayed true. Errors: ErrEmailTaken.
	Add(ctx context.Context, a Account, key IdempotencyKey) (stored Account, replayed bool, err error)
	// ByEmail returns the account with a normalised e-mail, or ErrNotFound.
	ByEmail(ctx context.Context, email string) (Account, error)
	// ByID returns an account, or ErrNotFound.
	ByID(ctx context.Context, id uuid.UUID) (Account, error)
	// Search returns up to limit accounts, by e-mail, that come after an e-mail
	// (empty: from the first) and whose name or e-mail has part in it, in any
	// case; with an empty part, all. Their password hashes are left out.
	Search(ctx context.Context, part, after string, limit int) ([]Account, error)
	// WhileUnchanged calls fn with the account as it is now, and lets nobody
	// change it until fn has returned. Errors: ErrNotFound, fn's.
	WhileUnchanged(ctx context.Context, id uuid.UUID, fn func(Account) error) error
	// SetRole changes the role, unless fn, called with the changed account before
	// the change is final, fails. Errors: ErrNotFound, ErrLastAdmin, fn's.
	SetRole(ctx context.Context, id uuid.UUID, role identity.Role, fn func(Account) error) (Account, error)
}

// Sessions are the log-ins under way.
type Sessions interface {
	// Start begins a session and returns its id and its absolute end.
	Start(ctx context.Context, a Account) (id string, expiresAt time.Time, err error)
	// End ends one session; one that is not there is no error.
	End(ctx context.Context, id string) error
	// EndAll ends all sessions of a user.
	EndAll(ctx context.Context, userID uuid.UUID) error
	// SetRole changes the role in all sessions of a user at once.
	SetRole(ctx context.Context, userID uuid.UUID, role identity.Role) error
}

// Attempts counts failed log-ins by account and by client address. It never
// fails: with its store down it counts in this process.
type Attempts interface {
	// Blocked returns how long log-ins of email from addr are refused; 0: they
	// are not.
	Blocked(ctx context.Context, email, addr string) time.Duration
	// Failed counts a failure.
	Failed(ctx context.Context, email, addr string)
	// Succeeded forgets the failures of email, not those of the address: who
	// tries many accounts could log in to an own one in between.
	Succeeded(ctx context.Context, email string)
}

// Limits of failed log-ins within Window, which begins with the first failure.
const (
	MaxFailuresPerAccount = 10
	MaxFailuresPerAddress = 100
	Window                = 15 * time.Minute
)
