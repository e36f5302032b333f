package auth

import (
	"context"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
)

// ResendVerification mails the caller another link that verifies the e-mail,
// unless it is verified, and returns the e-mail. Errors: *TooManyError,
// ErrNotFound.
func (s *Service) ResendVerification(ctx context.Context, c Caller) (email string, err error) {
	if err := s.Limits.Mail(ctx, c.Email, c.Client); err != nil {
		return "", err
	}
	a, err := s.Accounts.Change(ctx, c.UserID, func(a *Account) (e Effects, err error) {
		if a.VerifiedAt.IsZero() {
			s.link(&e, s.mail(events.MailVerifyEmail, *a), VerifyEmail, verifyLifetime)
		}
		return e, nil
	})
	return a.Email, err
}

// VerifyEmail uses the token of a mailed link. The account's open sessions can
// pay at once. Error: ErrLinkInvalid.
func (s *Service) VerifyEmail(ctx context.Context, c Caller, secret string) error {
	_, err := s.Accounts.UseToken(ctx, hashToken(secret), []Purpose{VerifyEmail}, s.Now(),
		func(a *Account, _ Token, _ []Token) (Effects, error) {
			a.VerifiedAt = s.Now().UTC()
			e := Effects{Audit: []events.AuditEntry{s.audit(c.as(*a), rest.AuditActionEmailVerified, a.ID.String())}}
			return e, s.Sessions.Verify(ctx, a.ID)
		})
	return err
}

// as returns the caller as the owner of an account, as whom the token of a mail
// shows the caller.
func (c Caller) as(a Account) Caller {
	c.UserID, c.Email = a.ID, a.Email
	return c
}
