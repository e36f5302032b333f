package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
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
}

// Login starts a session. An unknown e-mail and a wrong password cause the same
// response after the same work. Errors: ErrInvalidCredentials, *TooManyError,
// ErrBusy.
func (s *Service) Login(ctx context.Context, c rest.Credentials, from Client) (Login, error) {
	email, password := NormalizeEmail(c.Email), c.Password
	if err := s.blocked(ctx, email, from.Address); err != nil {
		return Login{}, err
	}
	a, err := s.Accounts.ByEmail(ctx, email)
	known := err == nil
	if isNotFound(err) {
		a.PasswordHash = s.Hasher.dummy
	} else if err != nil {
		return Login{}, err
	}
	if len(password) > maxPasswordBytes {
		password, known = password[:maxPasswordBytes], false
	}
	err = s.Hasher.inSlot(ctx, func() error {
		// Check again within the slot: failures counted while this log-in
		// waited apply to it, so that concurrent guesses are limited like
		// consecutive ones.
		if err := s.blocked(ctx, email, from.Address); err != nil {
			return err
		}
		ok, err := s.Hasher.matches(a.PasswordHash, password)
		if err != nil {
			return fmt.Errorf("password of account %s: %w", a.ID, err)
		}
		if !ok || !known {
			s.Attempts.Failed(ctx, email, from.Address)
			return ErrInvalidCredentials
		}
		return nil
	})
	if err != nil {
		return Login{}, err
	}
	s.Attempts.Succeeded(ctx, email)
	var l Login
	// A concurrent role change ends this session too, unless the new role is read
	// here: it waits and then finds the session.
	err = s.Accounts.WhileUnchanged(ctx, a.ID, func(a Account) error {
		var err error
		l.Account = a
		l.SessionID, l.ExpiresAt, err = s.Sessions.Start(ctx, a, from)
		return err
	})
	return l, err
}

func (s *Service) blocked(ctx context.Context, email, addr string) error {
	if d := s.Attempts.Blocked(ctx, email, addr); d > 0 {
		return &TooManyError{RetryAfter: d}
	}
	return nil
}

// SetRole changes an account's role and ends its sessions, so that the new role
// begins with a new session. If they can't be ended, nothing is changed. Errors:
// ErrNotFound, ErrLastAdmin.
func (s *Service) SetRole(ctx context.Context, id uuid.UUID, role identity.Role) (Account, error) {
	return s.Accounts.SetRole(ctx, id, role, func(a Account) error {
		return s.Sessions.EndAll(ctx, a.ID)
	})
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
func isTaken(err error) bool    { return errors.Is(err, ErrEmailTaken) }
