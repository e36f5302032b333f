package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/passwords"
)

// NormalizeEmail returns the form of an e-mail in which accounts are compared.
func NormalizeEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// normalizeName returns the name as it is stored. The contract has checked it
// already, except for names that are blank or that Postgres can't store: error
// validation_failed.
func normalizeName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", problem.Invalid(problem.Field{Field: "name", Code: "required", Message: "must not be blank"})
	case strings.ContainsRune(name, 0):
		return "", problem.Invalid(problem.Field{Field: "name", Code: "invalid_characters", Message: "must not contain the character U+0000"})
	}
	return name, nil
}

// Service registers people and logs them in and out.
type Service struct {
	Accounts Accounts
	Sessions Sessions
	Limits   *Limits
	AuditLog AuditLog
	Hasher   *Hasher
	Keys     *Keys
	Now      func() time.Time
	// Trusting means that e-mails need no verification.
	Trusting bool
	// AdminsNeedSecondFactor means that an admin without a second factor logs in
	// as a customer.
	AdminsNeedSecondFactor bool
}

// Register creates a customer's account and mails a link that verifies its
// e-mail. An e-mail that has an account takes the same work and is mailed a
// notice. Errors: a problem validation_failed, *TooManyError, ErrBusy.
func (s *Service) Register(ctx context.Context, c Caller, r rest.Registration) error {
	name, err := normalizeName(r.Name)
	if err != nil {
		return err
	}
	r.Name, r.Email = name, NormalizeEmail(r.Email)
	if err := passwords.Check(r.Password, false); err != nil {
		return err
	}
	if err := s.Limits.Register(ctx, c.Client); err != nil {
		return err
	}
	a, err := s.account(ctx, r, identity.Customer)
	if err != nil {
		return err
	}
	c.UserID, c.Email = a.ID, a.Email
	e := Effects{Audit: []events.AuditEntry{s.audit(c, rest.AuditActionRegistered, a.ID.String())}}
	s.link(&e, s.mail(events.MailVerifyEmail, a), VerifyEmail, verifyLifetime)
	err = s.Accounts.Add(ctx, a, e)
	if errors.Is(err, ErrEmailTaken) {
		return s.alreadyRegistered(ctx, a.Email)
	}
	return err
}

// alreadyRegistered mails a notice to the account with an e-mail, but not many.
func (s *Service) alreadyRegistered(ctx context.Context, email string) error {
	if s.Limits.Notice(ctx, email) != nil {
		return nil //nolint:nilerr // the response must not tell that there is an account
	}
	owner, err := s.Accounts.ByEmail(ctx, email)
	if errors.Is(err, ErrNotFound) { // deleted meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	return s.Accounts.Record(ctx, Effects{Mails: []events.AccountMail{s.mail(events.MailAlreadyRegistered, owner)}})
}

// EnsureAdmin creates the first admin unless the e-mail already is an admin's.
// It fails if the e-mail belongs to somebody else.
func (s *Service) EnsureAdmin(ctx context.Context, email, secret string) error {
	r := rest.Registration{Email: NormalizeEmail(email), Password: secret, Name: "Admin", Language: rest.LanguageEn}
	if err := rest.Check(r); err != nil {
		return fmt.Errorf("check first admin: %w", err)
	}
	known, err := s.isAdmin(ctx, r.Email)
	if known || err != nil {
		return err
	}
	if err := passwords.Check(r.Password, true); err != nil {
		return fmt.Errorf("check first admin: %w", err)
	}
	a, err := s.account(ctx, r, identity.Admin)
	if err != nil {
		return err
	}
	a.VerifiedAt = a.CreatedAt
	err = s.Accounts.Add(ctx, a, Effects{})
	if errors.Is(err, ErrEmailTaken) { // by a concurrent migration, or by a registration
		_, err = s.isAdmin(ctx, r.Email)
	}
	return err
}

// isAdmin reports whether an account has the e-mail. It must be an admin's.
func (s *Service) isAdmin(ctx context.Context, email string) (bool, error) {
	a, err := s.Accounts.ByEmail(ctx, email)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case a.Role != identity.Admin:
		return true, fmt.Errorf("create first admin: the account with ADMIN_EMAIL has the role %s: "+
			"choose another e-mail, or let an admin change the role", a.Role)
	}
	return true, nil
}

func (s *Service) account(ctx context.Context, r rest.Registration, role identity.Role) (Account, error) {
	hash, err := s.Hasher.Hash(ctx, r.Password)
	if err != nil {
		return Account{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Account{}, fmt.Errorf("account id: %w", err)
	}
	// Postgres stores microseconds; the response must be the same when read
	// again.
	return Account{
		ID: id, Email: r.Email, Name: r.Name, Role: role, Language: cmp.Or(r.Language, rest.LanguageEn),
		PasswordHash: hash, LongPassword: passwords.IsLong(r.Password), CreatedAt: s.Now().UTC().Truncate(time.Microsecond),
	}, nil
}
