package auth

import (
	"context"
	"errors"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

// Reauthenticate makes the caller's session recent, for the right password or
// code. Errors: ErrWrongPassword, *TooManyError, ErrBusy, ErrNotFound.
func (s *Service) Reauthenticate(ctx context.Context, c Caller, r rest.Reauthentication) error {
	var err error
	if r.Code != "" {
		err = s.changeByCode(ctx, c, func(a *Account) (Effects, error) {
			if !a.TOTPConfirmed {
				return Effects{}, ErrWrongCode
			}
			return Effects{}, s.useCode(a, r.Code)
		})
	} else {
		err = s.verifyAgain(ctx, c, r.Password)
	}
	if errors.Is(err, ErrWrongCode) {
		return ErrWrongPassword
	}
	if err != nil {
		return err
	}
	return s.Sessions.Authenticated(ctx, c.Session)
}

// verifyAgain verifies the password of a logged-in caller, as a log-in does.
// Errors: ErrWrongPassword, *TooManyError, ErrBusy, ErrNotFound.
func (s *Service) verifyAgain(ctx context.Context, c Caller, secret string) error {
	a, err := s.Accounts.ByID(ctx, c.UserID)
	if err != nil {
		return err
	}
	err = s.authenticate(ctx, c, a, true, secret, "")
	if errors.Is(err, ErrInvalidCredentials) {
		return ErrWrongPassword
	}
	if err == nil {
		s.Limits.Succeeded(ctx, c.Email, c.Client)
	}
	return err
}
