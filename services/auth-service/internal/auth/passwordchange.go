package auth

import (
	"context"
	"errors"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/passwords"
)

// ChangePassword replaces the caller's password and ends the other sessions.
// Errors: ErrWrongPassword, *TooManyError, a problem validation_failed, ErrBusy,
// ErrNotFound.
func (s *Service) ChangePassword(ctx context.Context, c Caller, current, replacement string) error {
	a, err := s.Accounts.ByID(ctx, c.UserID)
	if err != nil {
		return err
	}
	if err := passwords.Check(replacement, a.Role == identity.Admin); err != nil {
		return err
	}
	if err := s.verifyAgain(ctx, c, current); err != nil {
		return err
	}
	hash, err := s.Hasher.Hash(ctx, replacement)
	if err != nil {
		return err
	}
	verified := a.PasswordHash
	_, err = s.Accounts.Change(ctx, a.ID, func(a *Account) (Effects, error) {
		if a.PasswordHash != verified { // changed meanwhile
			return Effects{}, ErrWrongPassword
		}
		if err := a.setPassword(replacement, hash); err != nil {
			return Effects{}, err
		}
		e := Effects{
			Mails: []events.AccountMail{s.mail(events.MailPasswordChanged, *a)},
			Audit: []events.AuditEntry{s.audit(c, rest.AuditActionPasswordChanged, a.ID.String())},
		}
		return e, s.Sessions.EndOthers(ctx, a.ID, c.Session)
	})
	return err
}

// setPassword replaces the password. Error: a problem validation_failed.
func (a *Account) setPassword(replacement, hash string) error {
	if err := passwords.Check(replacement, a.Role == identity.Admin); err != nil {
		return err
	}
	a.PasswordHash, a.LongPassword = hash, passwords.IsLong(replacement)
	return nil
}

// RequestPasswordReset mails a link that resets the password to the account
// with an e-mail, if there is one. Error: *TooManyError, whether or not there is
// one.
func (s *Service) RequestPasswordReset(ctx context.Context, c Caller, email string) error {
	if err := s.Limits.Mail(ctx, NormalizeEmail(email), c.Client); err != nil {
		return err
	}
	a, err := s.Accounts.ByEmail(ctx, NormalizeEmail(email))
	if err == nil {
		_, err = s.Accounts.Change(ctx, a.ID, func(a *Account) (e Effects, err error) {
			s.link(&e, s.mail(events.MailResetPassword, *a), ResetPassword, resetLifetime)
			return e, nil
		})
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// ResetPassword uses the token of a mailed link. It verifies the e-mail, and ends
// all sessions and all other tokens of the account. A second factor stays if the
// e-mail was verified before. Errors: ErrLinkInvalid, a problem validation_failed, ErrBusy; the token stays
// valid after the latter two.
func (s *Service) ResetPassword(ctx context.Context, c Caller, secret, replacement string) error {
	_, err := s.Accounts.UseToken(ctx, hashToken(secret), []Purpose{ResetPassword}, s.Now(),
		func(a *Account, _ Token, _ []Token) (Effects, error) {
			if err := passwords.Check(replacement, a.Role == identity.Admin); err != nil {
				return Effects{}, err
			}
			// Only who has the token gets here, so nobody else can use up the
			// hashing slots.
			hash, err := s.Hasher.Hash(ctx, replacement)
			if err != nil {
				return Effects{}, err
			}
			if err := a.setPassword(replacement, hash); err != nil {
				return Effects{}, err
			}
			if a.VerifiedAt.IsZero() {
				// Whoever set up a second factor has not shown to own the
				// e-mail, and must not keep its owner out.
				a.VerifiedAt, a.SecondFactor = s.Now().UTC(), SecondFactor{}
			}
			e := Effects{
				EndTokens: true, Mails: []events.AccountMail{s.mail(events.MailPasswordChanged, *a)},
				Audit: []events.AuditEntry{s.audit(c.as(*a), rest.AuditActionPasswordReset, a.ID.String())},
			}
			return e, s.Sessions.EndAll(ctx, a.ID)
		})
	return err
}
