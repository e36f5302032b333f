package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/passwords"
)

// maxPasswordBytes exceeds the length of any password that can be registered. A
// longer one is wrong and is not hashed.
const maxPasswordBytes = 128 * 4

// Login is a successful log-in.
type Login struct {
	SessionID string
	// ExpiresAt is the session's absolute end.
	ExpiresAt time.Time
	Account   Account
	// Device is the device cookie's value: see Keys.NewDevice.
	Device string
}

// Login starts a session. An unknown e-mail and a wrong password cause the same
// response after the same work. Errors: ErrInvalidCredentials, ErrSecondFactorRequired, *TooManyError,
// ErrBusy.
func (s *Service) Login(ctx context.Context, credentials rest.Credentials, from Client) (Login, error) {
	secret, code := credentials.Password, credentials.Code
	c := Caller{Email: NormalizeEmail(credentials.Email), Client: from}
	a, err := s.Accounts.ByEmail(ctx, c.Email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Login{}, err
	}
	known := err == nil
	if err := s.authenticate(ctx, c, a, known, secret, code); err != nil {
		return Login{}, err
	}
	c.UserID = a.ID
	verified := a.PasswordHash
	var l Login
	// A concurrent change of the account reaches this session too: either this
	// reads the changed account, or the change waits and then finds the session.
	_, err = s.Accounts.Change(ctx, a.ID, func(a *Account) (e Effects, err error) {
		if a.PasswordHash != verified {
			return e, ErrInvalidCredentials
		}
		if err := s.useCode(a, code); err != nil {
			return e, err
		}
		a.LongPassword = passwords.IsLong(secret)
		l.Account = *a
		l.SessionID, l.ExpiresAt, err = s.Sessions.Start(ctx, s.restricted(*a), from)
		e.Audit = []events.AuditEntry{s.audit(c, rest.AuditActionLogin, a.ID.String())}
		return e, err
	})
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrWrongCode) { // deleted or used meanwhile
		err = ErrInvalidCredentials
	}
	if err == nil {
		s.Limits.Succeeded(ctx, c.Email, from)
		l.Device = s.Keys.NewDevice(c.Email, from.Device)
	}
	return l, err
}

// authenticate verifies a password, and the code if there is one, without using
// it up. It counts a failure. Errors: ErrInvalidCredentials, *TooManyError,
// ErrBusy.
func (s *Service) authenticate(ctx context.Context, c Caller, a Account, known bool, secret, code string) error {
	if err := s.blocked(ctx, c); err != nil {
		return err
	}
	if !known {
		a.PasswordHash = s.Hasher.dummy
	}
	if len(secret) > maxPasswordBytes {
		secret, known = secret[:maxPasswordBytes], false
	}
	return s.Hasher.inSlot(ctx, func() error {
		// Check again within the slot: failures counted while this request
		// waited apply to it, so that concurrent guesses are limited like
		// consecutive ones.
		if err := s.blocked(ctx, c); err != nil {
			return err
		}
		ok, err := s.Hasher.matches(a.PasswordHash, secret)
		if err != nil {
			return fmt.Errorf("password of account %s: %w", a.ID, err)
		}
		if !ok || !known {
			return s.failed(ctx, c)
		}
		if code != "" {
			if err := s.useCode(&a, code); errors.Is(err, ErrWrongCode) {
				return s.failed(ctx, c)
			} else if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) blocked(ctx context.Context, c Caller) error {
	if d := s.Limits.Blocked(ctx, c.Email, c.Client); d > 0 {
		return &TooManyError{RetryAfter: d}
	}
	return nil
}

// failed counts and records a failure, and returns ErrInvalidCredentials.
func (s *Service) failed(ctx context.Context, c Caller) error {
	s.recordFailure(ctx, c, s.Limits.Failed(ctx, c.Email, c.Client))
	return ErrInvalidCredentials
}

// recordFailure records a wrong password or code, and that the caller is locked
// out by it.
func (s *Service) recordFailure(ctx context.Context, c Caller, lockedOut bool) {
	s.record(ctx, s.audit(c, rest.AuditActionLoginFailed, ""))
	if lockedOut {
		s.record(ctx, s.audit(c, rest.AuditActionLockedOut, ""))
	}
}

// restricted returns the account with the rights that a new session gets.
func (s *Service) restricted(a Account) Account {
	if s.NeedsSecondFactor(a) {
		a.Role = identity.Customer
	}
	if s.Trusting && a.VerifiedAt.IsZero() {
		a.VerifiedAt = s.Now()
	}
	return a
}

// Logout ends the caller's session.
func (s *Service) Logout(ctx context.Context, c Caller) error {
	err := s.Sessions.End(ctx, c.Session)
	if err == nil {
		s.record(ctx, s.audit(c, rest.AuditActionLogout, ""))
	}
	return err
}

// LogoutAll ends all sessions of the caller.
func (s *Service) LogoutAll(ctx context.Context, c Caller) error {
	err := s.Sessions.EndAll(ctx, c.UserID)
	if err == nil {
		s.record(ctx, s.audit(c, rest.AuditActionLogout, "", "sessions", "all"))
	}
	return err
}
