package auth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// NormalizeEmail returns the form of an e-mail in which accounts are compared.
func NormalizeEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// normalized returns the registration as it is stored. The contract has checked
// it already, except for names that are blank or that Postgres can't store:
// error validation_failed.
func normalized(r rest.Registration) (rest.Registration, error) {
	r.Email = NormalizeEmail(r.Email)
	r.Name = strings.TrimSpace(r.Name)
	switch {
	case r.Name == "":
		return r, problem.Invalid(problem.Field{Field: "name", Code: "required", Message: "must not be blank"})
	case strings.ContainsRune(r.Name, 0):
		return r, problem.Invalid(problem.Field{Field: "name", Code: "invalid_characters", Message: "must not contain the character U+0000"})
	}
	return r, nil
}

// Service registers people and logs them in and out.
type Service struct {
	Accounts Accounts
	Sessions Sessions
	Attempts Attempts
	Hasher   *Hasher
	Now      func() time.Time
}

// Register creates a customer's account. body is the raw request body, and key
// its idempotency key or empty. Errors: a problem validation_failed,
// ErrEmailTaken, ErrBusy.
func (s *Service) Register(ctx context.Context, r rest.Registration, key string, body []byte) (Account, bool, error) {
	r, err := normalized(r)
	if err != nil {
		return Account{}, false, err
	}
	idem := IdempotencyKey{Value: key}
	if key != "" {
		if idem.RequestHash, err = s.Hasher.Fingerprint(ctx, key, body); err != nil {
			return Account{}, false, err
		}
	}
	a, err := s.account(ctx, r, identity.Customer)
	if err != nil {
		return Account{}, false, err
	}
	return s.Accounts.Add(ctx, a, idem)
}

// EnsureAdmin creates the first admin unless the e-mail already has an account.
func (s *Service) EnsureAdmin(ctx context.Context, email, password string) error {
	r := rest.Registration{Email: NormalizeEmail(email), Password: password, Name: "Admin"}
	if err := rest.Check(r); err != nil {
		return fmt.Errorf("check first admin: %w", err)
	}
	if _, err := s.Accounts.ByEmail(ctx, r.Email); !isNotFound(err) {
		return err
	}
	a, err := s.account(ctx, r, identity.Admin)
	if err != nil {
		return err
	}
	_, _, err = s.Accounts.Add(ctx, a, IdempotencyKey{})
	if isTaken(err) {
		return nil
	}
	return err
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
		ID: id, Email: r.Email, Name: r.Name, Role: role, PasswordHash: hash,
		CreatedAt: s.Now().UTC().Truncate(time.Microsecond),
	}, nil
}
