package auth

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// ChangeAccount changes the fields of the caller's account that are set in the
// patch. Errors: a problem validation_failed, ErrNotFound.
func (s *Service) ChangeAccount(ctx context.Context, c Caller, patch rest.AccountPatch) (Account, error) {
	if patch.Name != "" {
		name, err := normalizeName(patch.Name)
		if err != nil {
			return Account{}, err
		}
		patch.Name = name
	}
	return s.Accounts.Change(ctx, c.UserID, func(a *Account) (Effects, error) {
		a.Name, a.Language = cmp.Or(patch.Name, a.Name), cmp.Or(patch.Language, a.Language)
		return Effects{}, nil
	})
}

// Export is what auth-service stores about a person, besides sessions.
type Export struct {
	Account Account
	// Audit has the entries whose actor the person is, newest first.
	Audit []events.AuditEntry
}

// Export returns what is stored about the caller, and records that it does.
// Error: ErrNotFound.
func (s *Service) Export(ctx context.Context, c Caller) (x Export, err error) {
	x.Account, err = s.Accounts.Change(ctx, c.UserID, func(a *Account) (Effects, error) {
		return Effects{Audit: []events.AuditEntry{s.audit(c, rest.AuditActionAccountExported, a.ID.String())}}, nil
	})
	if err == nil {
		x.Audit, err = s.AuditLog.Read(ctx, AuditFilter{Actor: c.UserID}, maxExported)
	}
	return x, err
}

// maxExported limits the entries of an export to more than a person makes.
const maxExported = 100_000

// Delete erases everything about the caller but the id, which bookings and
// payments name, and the audit log. Errors: ErrLastAdmin, ErrNotFound.
func (s *Service) Delete(ctx context.Context, c Caller) error {
	_, err := s.Accounts.Change(ctx, c.UserID, func(a *Account) (Effects, error) {
		e := Effects{
			EndTokens: true, Mails: []events.AccountMail{s.mail(events.MailAccountDeleted, *a)},
			Audit: []events.AuditEntry{s.audit(c, rest.AuditActionAccountDeleted, a.ID.String())},
		}
		*a = Account{
			ID: a.ID, Role: identity.Customer, Language: a.Language, CreatedAt: a.CreatedAt, DeletedAt: s.Now().UTC(),
		}
		return e, s.Sessions.EndAll(ctx, a.ID)
	})
	return err
}

// SetRole changes an account's role and ends all its sessions. If they can't be
// ended, nothing is changed. Errors: ErrNotFound, ErrLastAdmin,
// ErrShortPassword.
func (s *Service) SetRole(ctx context.Context, c Caller, id uuid.UUID, role identity.Role) (Account, error) {
	return s.Accounts.Change(ctx, id, func(a *Account) (Effects, error) {
		if a.Role == role {
			return Effects{}, nil
		}
		if role == identity.Admin && !a.LongPassword {
			return Effects{}, ErrShortPassword
		}
		entry := s.audit(c, rest.AuditActionRoleChanged, a.ID.String(), "from", string(a.Role), "to", string(role))
		a.Role = role
		return Effects{Audit: []events.AuditEntry{entry}}, s.Sessions.EndAll(ctx, a.ID)
	})
}
