package auth

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// Registration is the body of a registration request.
type Registration struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
}

// NormalizeEmail returns the form of an e-mail in which accounts are compared.
func NormalizeEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// normalized returns the registration as it is stored, or a problem that names
// every invalid field.
func (r Registration) normalized() (Registration, error) {
	var wrong []problem.Field
	add := func(field, code, message string) {
		wrong = append(wrong, problem.Field{Field: field, Code: code, Message: message})
	}
	r.Email = NormalizeEmail(r.Email)
	// ParseAddress also accepts "Name <a@b>"; only the bare address is valid
	// here.
	a, err := mail.ParseAddress(r.Email)
	if err != nil || a.Address != r.Email || len(r.Email) > 254 || strings.ContainsAny(r.Email, " \"\x00") {
		add("email", "invalid_email", "must be an e-mail address")
	}
	if n := utf8.RuneCountInString(r.Password); n < 8 || n > 128 || !utf8.ValidString(r.Password) {
		add("password", "length", "must have 8 to 128 characters")
	}
	r.Name = strings.TrimSpace(r.Name)
	if n := utf8.RuneCountInString(r.Name); n < 1 || n > 100 {
		add("name", "length", "must have 1 to 100 characters")
	} else if strings.ContainsRune(r.Name, 0) {
		add("name", "invalid_characters", "must not contain the character U+0000")
	}
	if len(wrong) > 0 {
		return r, problem.Invalid(wrong...)
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
func (s *Service) Register(ctx context.Context, r Registration, key string, body []byte) (Account, bool, error) {
	r, err := r.normalized()
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
	r, err := Registration{Email: email, Password: password, Name: "Admin"}.normalized()
	if err != nil {
		return fmt.Errorf("first admin: e-mail must be valid, password must have 8 to 128 characters: %w", err)
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

func (s *Service) account(ctx context.Context, r Registration, role identity.Role) (Account, error) {
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
