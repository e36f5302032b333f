package auth

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Client is the sender of a request.
type Client struct {
	// Address is the IP address that the gateway saw.
	Address   string
	UserAgent string
	// Device is the value of the device cookie, or empty.
	Device string
}

// OpenSession is a session that has not ended.
type OpenSession struct {
	// Hash names the session and can't be used in place of its id.
	Hash                  string
	CreatedAt, LastUsedAt time.Time
	// Client is the one that logged in.
	Client Client
}

// ErrSessionNotFound means that the session does not exist, has ended, or
// belongs to someone else.
var ErrSessionNotFound = errors.New("session not found")

// Sessions stores the log-in sessions. If the store is unavailable, methods
// return its error.
type Sessions interface {
	// Start begins a session and returns its id and absolute end.
	Start(ctx context.Context, a Account, from Client) (id string, expiresAt time.Time, err error)
	// List returns the open sessions of a user, the last used first.
	List(ctx context.Context, userID uuid.UUID) ([]OpenSession, error)
	// End ends one session. A missing session is not an error.
	End(ctx context.Context, id string) error
	// EndHash ends the session of a user that List calls hash. Error:
	// ErrSessionNotFound.
	EndHash(ctx context.Context, userID uuid.UUID, hash string) error
	// EndAll ends all sessions of a user.
	EndAll(ctx context.Context, userID uuid.UUID) error
	// EndOthers ends all sessions of a user except the one with this id.
	EndOthers(ctx context.Context, userID uuid.UUID, id string) error
	// Verify marks the e-mail as verified in all sessions of a user.
	Verify(ctx context.Context, userID uuid.UUID) error
	// Authenticated sets the session's time of authentication to now. Error:
	// ErrSessionNotFound.
	Authenticated(ctx context.Context, id string) error
}
