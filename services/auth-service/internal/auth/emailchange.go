package auth

import (
	"context"
	"errors"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// RequestEmailChange mails a link to the caller's e-mail and one to the new
// e-mail. The change takes effect when both tokens have been used. If another
// account has the new e-mail, its owner is mailed a notice instead, and the
// caller gets the same response. Errors: a problem validation_failed for the
// caller's own e-mail, *TooManyError, ErrNotFound.
func (s *Service) RequestEmailChange(ctx context.Context, c Caller, email string) error {
	email = NormalizeEmail(email)
	if err := s.Limits.Mail(ctx, c.Email, c.Client); err != nil {
		return err
	}
	if err := s.Limits.Notice(ctx, email); err != nil {
		return err
	}
	owner, err := s.Accounts.ByEmail(ctx, email)
	taken := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	_, err = s.Accounts.Change(ctx, c.UserID, func(a *Account) (e Effects, err error) {
		if email == a.Email {
			return e, problem.Invalid(problem.Field{Field: "email", Code: "unchanged", Message: "must differ from your e-mail"})
		}
		toOld := s.mail(events.MailConfirmOldEmail, *a)
		toNew := s.mail(events.MailConfirmNewEmail, *a)
		toOld.NewEmail, toNew.NewEmail, toNew.Account.Email = email, email, email
		s.link(&e, toOld, ConfirmOldEmail, changeLifetime)
		s.link(&e, toNew, ConfirmNewEmail, changeLifetime)
		if taken {
			e.Mails[1] = s.mail(events.MailAlreadyRegistered, owner)
		}
		return e, nil
	})
	return err
}

// ConfirmEmailChange uses one of the two tokens of an e-mail change. changed is
// false until the other one is used as well; then the e-mail changes and all
// sessions end. Error: ErrLinkInvalid, also if another account has taken the
// e-mail meanwhile.
func (s *Service) ConfirmEmailChange(ctx context.Context, c Caller, secret string) (changed bool, err error) {
	_, err = s.Accounts.UseToken(ctx, hashToken(secret), []Purpose{ConfirmOldEmail, ConfirmNewEmail}, s.Now(),
		func(a *Account, used Token, others []Token) (Effects, error) {
			for _, t := range others {
				if t.Purpose == ConfirmOldEmail || t.Purpose == ConfirmNewEmail {
					return Effects{}, nil // the other token is still to be used
				}
			}
			changed = true
			notice := s.mail(events.MailEmailChanged, *a) // to the old e-mail
			notice.NewEmail = used.NewEmail
			entry := s.audit(c.as(*a), rest.AuditActionEmailChanged, a.ID.String(), "from", a.Email, "to", used.NewEmail)
			a.Email, a.VerifiedAt = used.NewEmail, s.Now().UTC()
			e := Effects{EndTokens: true, Mails: []events.AccountMail{notice}, Audit: []events.AuditEntry{entry}}
			return e, s.Sessions.EndAll(ctx, a.ID)
		})
	if errors.Is(err, ErrEmailTaken) {
		return false, ErrLinkInvalid
	}
	return changed, err
}
