// Package identity is how the gateway tells a service who is calling: a
// short-lived token signed with Ed25519. A service refuses a request without one.
package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Header carries the token between gateway and services.
const Header = "X-Frontrow-Identity"

// Lifetime of a token.
const Lifetime = 30 * time.Second

const issuer = "frontrow-gateway"

// Role is what an account may do.
type Role string

// Roles.
const (
	Anonymous Role = "anonymous"
	Customer  Role = "customer"
	Organizer Role = "organizer"
	Admin     Role = "admin"
)

// Identity is the caller of a request.
type Identity struct {
	// UserID is uuid.Nil for an anonymous caller.
	UserID    uuid.UUID
	Role      Role
	Email     string
	RequestID string
}

// IsAnonymous tells whether nobody is logged in.
func (i Identity) IsAnonymous() bool { return i.UserID == uuid.Nil }

// CanOrganize tells whether the caller may create venues and events.
func (i Identity) CanOrganize() bool { return i.Role == Organizer || i.Role == Admin }

type claims struct {
	jwt.RegisteredClaims
	Role      Role   `json:"role"`
	Email     string `json:"email,omitempty"`
	RequestID string `json:"rid,omitempty"`
}

// Signer makes tokens.
type Signer struct {
	key ed25519.PrivateKey
	kid string
	now func() time.Time
}

// NewSigner returns a signer for a base64 (standard) 32-byte Ed25519 seed.
func NewSigner(seed string) (*Signer, error) {
	raw, err := base64.StdEncoding.DecodeString(seed)
	if err != nil || len(raw) != ed25519.SeedSize {
		return nil, errors.New("identity: the private key is not base64 of 32 bytes")
	}
	key := ed25519.NewKeyFromSeed(raw)
	return &Signer{key: key, kid: keyID(key.Public().(ed25519.PublicKey)), now: time.Now}, nil
}

// PublicKey returns the public key in base64, as NewVerifier takes it.
func (s *Signer) PublicKey() string {
	return base64.StdEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))
}

// Sign returns a token for id that is good for Lifetime.
func (s *Signer) Sign(id Identity) (string, error) {
	now := s.now()
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(Lifetime)),
		},
		Role: id.Role, Email: id.Email, RequestID: id.RequestID,
	}
	if !id.IsAnonymous() {
		c.Subject = id.UserID.String()
	}
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	t.Header["kid"] = s.kid
	return t.SignedString(s.key)
}

// Verifier checks tokens.
type Verifier struct {
	keys   map[string]ed25519.PublicKey
	parser *jwt.Parser
}

// NewVerifier takes comma-separated base64 Ed25519 public keys: more than one
// while a key is being replaced.
func NewVerifier(publicKeys string) (*Verifier, error) {
	v := &Verifier{keys: map[string]ed25519.PublicKey{}, parser: parser(time.Now)}
	for k := range strings.SplitSeq(publicKeys, ",") {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(k))
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, errors.New("identity: a public key is not base64 of 32 bytes")
		}
		v.keys[keyID(raw)] = raw
	}
	return v, nil
}

func parser(now func() time.Time) *jwt.Parser {
	return jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(), jwt.WithLeeway(5*time.Second), jwt.WithTimeFunc(now))
}

// At returns a verifier that goes by another clock than this machine's.
func (v *Verifier) At(now func() time.Time) *Verifier {
	return &Verifier{keys: v.keys, parser: parser(now)}
}

// Verify returns the identity in a token, or an error if it is forged,
// expired, or not the gateway's.
func (v *Verifier) Verify(token string) (Identity, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		key, ok := v.keys[kid]
		if !ok {
			return nil, fmt.Errorf("unknown key %q", kid)
		}
		return key, nil
	})
	if err != nil {
		return Identity{}, fmt.Errorf("identity: %w", err)
	}
	id := Identity{Role: c.Role, Email: c.Email, RequestID: c.RequestID}
	if c.Subject != "" {
		if id.UserID, err = uuid.Parse(c.Subject); err != nil {
			return Identity{}, fmt.Errorf("identity: subject: %w", err)
		}
	}
	return id, nil
}

func keyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:4])
}

type contextKey struct{}

// NewContext returns a context that carries id.
func NewContext(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// FromContext returns the caller; without one, an anonymous identity.
func FromContext(ctx context.Context) Identity {
	if id, ok := ctx.Value(contextKey{}).(Identity); ok {
		return id
	}
	return Identity{Role: Anonymous}
}
