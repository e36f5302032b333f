package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Purpose says what a mailed token may be used for.
type Purpose string

// Purposes of tokens. The two tokens of an e-mail change are made together and
// expire together.
const (
	VerifyEmail     Purpose = "verify_email"
	ResetPassword   Purpose = "reset_password"
	ConfirmOldEmail Purpose = "confirm_old_email"
	ConfirmNewEmail Purpose = "confirm_new_email"
)

// Lifetimes of tokens.
const (
	verifyLifetime = 24 * time.Hour
	resetLifetime  = 30 * time.Minute
	changeLifetime = 24 * time.Hour
)

// Token is a mailed secret as it is stored. It can be used once.
type Token struct {
	// Hash is the SHA-256 of the secret.
	Hash    []byte
	Purpose Purpose
	// NewEmail is the e-mail that an e-mail change is about.
	NewEmail  string
	ExpiresAt time.Time
}

// newToken returns a token and its secret, which is stored nowhere.
func newToken(purpose Purpose, newEmail string, expires time.Time) (Token, string) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // it never fails
	secret := base64.RawURLEncoding.EncodeToString(raw)
	return Token{Hash: hashToken(secret), Purpose: purpose, NewEmail: newEmail, ExpiresAt: expires}, secret
}

func hashToken(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// mail returns a notice to the account.
func (s *Service) mail(kind events.MailKind, a Account) events.AccountMail {
	return events.AccountMail{
		ID: uuid.Must(uuid.NewV7()), Kind: kind, RequestedAt: s.Now().UTC(),
		Account: events.Account{UserID: a.ID, Email: a.Email, Name: a.Name, Language: string(a.Language)},
	}
}

// link adds to the effects a token and the mail that carries it.
func (s *Service) link(e *Effects, m events.AccountMail, purpose Purpose, lifetime time.Duration) {
	token, secret := newToken(purpose, m.NewEmail, s.Now().UTC().Add(lifetime))
	m.Token, m.ExpiresAt = secret, token.ExpiresAt
	e.Tokens, e.Mails = append(e.Tokens, token), append(e.Mails, m)
}
