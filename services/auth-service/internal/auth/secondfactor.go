package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// Errors of second factors.
var (
	// ErrSecondFactorRequired means that the password is right and the code of
	// the second factor is missing.
	ErrSecondFactorRequired = errors.New("second factor required")
	// ErrSecondFactorExists means that the account has a second factor.
	ErrSecondFactorExists = errors.New("second factor exists")
	// ErrSecondFactorMissing means that the account has no second factor, or
	// that none is being set up.
	ErrSecondFactorMissing = errors.New("second factor missing")
	// ErrWrongCode means that a code does not belong to the secret.
	ErrWrongCode = errors.New("wrong code")
)

// SecondFactor is an account's TOTP secret (RFC 6238: SHA-1, 30 seconds, 6
// digits) and recovery codes. It is the zero value if there is none.
type SecondFactor struct {
	// TOTPSecret is encrypted. It counts once TOTPConfirmed is true.
	TOTPSecret    []byte
	TOTPConfirmed bool
	// TOTPLastStep is the time step of the last code that was used.
	TOTPLastStep int64
	// RecoveryCodes are the SHA-256 of those that are left.
	RecoveryCodes [][]byte
}

const (
	issuer        = "Frontrow"
	totpStep      = 30 // seconds
	totpDigits    = 6
	recoveryCodes = 10
	// recoveryBytes is the size of a recovery code before its encoding: 80
	// random bits need no slow hash.
	recoveryBytes = 10
)

// Enrolment is what an authenticator app needs.
type Enrolment struct {
	// Secret is in base32.
	Secret string
	// URI is an otpauth URI.
	URI string
}

// BeginSecondFactor returns a new secret for the caller's account. It counts
// once ConfirmSecondFactor has seen a code of it. Errors: ErrSecondFactorExists,
// ErrNotFound.
func (s *Service) BeginSecondFactor(ctx context.Context, c Caller) (Enrolment, error) {
	var enrolment Enrolment
	_, err := s.Accounts.Change(ctx, c.UserID, func(a *Account) (Effects, error) {
		if a.TOTPConfirmed {
			return Effects{}, ErrSecondFactorExists
		}
		key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: a.Email})
		if err != nil {
			return Effects{}, fmt.Errorf("generate secret of second factor: %w", err)
		}
		enrolment = Enrolment{Secret: key.Secret(), URI: key.URL()}
		a.SecondFactor = SecondFactor{TOTPSecret: s.Keys.seal(a.ID, []byte(key.Secret()))}
		return Effects{}, nil
	})
	return enrolment, err
}

// ConfirmSecondFactor turns on the second factor, ends the caller's other
// sessions, and returns recovery codes. A wrong code counts as a failed log-in.
// Errors: ErrSecondFactorExists, ErrSecondFactorMissing, ErrWrongCode,
// *TooManyError, ErrNotFound.
func (s *Service) ConfirmSecondFactor(ctx context.Context, c Caller, code string) (codes []string, err error) {
	err = s.changeByCode(ctx, c, func(a *Account) (e Effects, err error) {
		switch {
		case a.TOTPConfirmed:
			return e, ErrSecondFactorExists
		case a.TOTPSecret == nil:
			return e, ErrSecondFactorMissing
		}
		if ok, err := s.useTOTP(a, code); err != nil {
			return e, err
		} else if !ok {
			return e, ErrWrongCode
		}
		a.TOTPConfirmed = true
		codes = a.renewRecoveryCodes()
		return s.secondFactorChanged(c, *a, rest.AuditActionSecondFactorAdded), s.Sessions.EndOthers(ctx, a.ID, c.Session)
	})
	return codes, err
}

// RemoveSecondFactor removes the caller's second factor, if there is one, and ends
// the other sessions. Error: ErrNotFound.
func (s *Service) RemoveSecondFactor(ctx context.Context, c Caller) error {
	_, err := s.Accounts.Change(ctx, c.UserID, func(a *Account) (e Effects, err error) {
		if a.TOTPConfirmed {
			e, err = s.secondFactorChanged(c, *a, rest.AuditActionSecondFactorRemoved), s.Sessions.EndOthers(ctx, a.ID, c.Session)
		}
		a.SecondFactor = SecondFactor{}
		return e, err
	})
	return err
}

// RenewRecoveryCodes replaces the caller's recovery codes. Errors:
// ErrSecondFactorMissing, ErrNotFound.
func (s *Service) RenewRecoveryCodes(ctx context.Context, c Caller) (codes []string, err error) {
	_, err = s.Accounts.Change(ctx, c.UserID, func(a *Account) (Effects, error) {
		if !a.TOTPConfirmed {
			return Effects{}, ErrSecondFactorMissing
		}
		codes = a.renewRecoveryCodes()
		return s.secondFactorChanged(c, *a, rest.AuditActionRecoveryCodesRenewed), nil
	})
	return codes, err
}

func (s *Service) secondFactorChanged(c Caller, a Account, action rest.AuditAction) Effects {
	return Effects{
		Mails: []events.AccountMail{s.mail(events.MailSecondFactorChanged, a)},
		Audit: []events.AuditEntry{s.audit(c, action, a.ID.String())},
	}
}

// NeedsSecondFactor reports whether an admin must set up a second factor before
// the role counts.
func (s *Service) NeedsSecondFactor(a Account) bool {
	return s.AdminsNeedSecondFactor && a.Role == identity.Admin && !a.TOTPConfirmed
}

// useCode uses up a code of the app or a recovery code, if the account has a
// second factor. Errors: ErrSecondFactorRequired, ErrWrongCode.
func (s *Service) useCode(a *Account, code string) error {
	if !a.TOTPConfirmed {
		return nil
	}
	if code == "" {
		return ErrSecondFactorRequired
	}
	ok, err := s.useTOTP(a, code)
	if err != nil {
		return err
	}
	if !ok && !a.useRecoveryCode(code) {
		return ErrWrongCode
	}
	return nil
}

// changeByCode changes the caller's account by a function that uses a code. A
// wrong one counts as a failed log-in before another one can be tried.
func (s *Service) changeByCode(ctx context.Context, c Caller, fn Change) error {
	lockedOut := false
	_, err := s.Accounts.Change(ctx, c.UserID, func(a *Account) (Effects, error) {
		if err := s.blocked(ctx, c); err != nil {
			return Effects{}, err
		}
		e, err := fn(a)
		if errors.Is(err, ErrWrongCode) {
			lockedOut = s.Limits.Failed(ctx, c.Email, c.Client)
		}
		return e, err
	})
	if errors.Is(err, ErrWrongCode) {
		s.recordFailure(ctx, c, lockedOut)
	}
	return err
}

// useTOTP accepts the code of the current time step, of the one before and of
// the one after, each once.
func (s *Service) useTOTP(a *Account, code string) (bool, error) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	if len(code) != totpDigits {
		return false, nil
	}
	secret, err := s.Keys.open(a.ID, a.TOTPSecret)
	if err != nil {
		return false, fmt.Errorf("secret of account %s: %w", a.ID, err)
	}
	now := s.Now().Unix() / totpStep
	for step := max(now-1, a.TOTPLastStep+1); step <= now+1; step++ {
		if hotp.Validate(code, uint64(step), string(secret)) {
			a.TOTPLastStep = step
			return true, nil
		}
	}
	return false, nil
}

// renewRecoveryCodes replaces the codes and returns the new ones, which look
// like abcd-efgh-ijkl-mnop.
func (f *SecondFactor) renewRecoveryCodes() []string {
	f.RecoveryCodes = nil
	codes := make([]string, recoveryCodes)
	for i := range codes {
		raw := make([]byte, recoveryBytes)
		_, _ = rand.Read(raw) // it never fails
		code := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
		f.RecoveryCodes = append(f.RecoveryCodes, hashToken(code))
		codes[i] = strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
	}
	return codes
}

// useRecoveryCode removes a code and reports whether it was there.
func (f *SecondFactor) useRecoveryCode(code string) bool {
	code = strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))
	hash := hashToken(code)
	i := slices.IndexFunc(f.RecoveryCodes, func(h []byte) bool { return bytes.Equal(h, hash) })
	if i < 0 {
		return false
	}
	// The slice may be shared with another copy of the account.
	f.RecoveryCodes = slices.Delete(slices.Clone(f.RecoveryCodes), i, i+1)
	return true
}
